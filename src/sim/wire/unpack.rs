//! Request bodies without their compression, within a bound.

use std::{borrow::Cow, io::Read as _};

/// The largest request body, packed or unpacked. CloudWatch takes 1 MB, SNS 256 KB.
pub(super) const MAX_BODY_BYTES: usize = 4 * 1_024 * 1_024;

/// Why a body can't be unpacked.
#[derive(Debug, thiserror::Error)]
pub(super) enum UnpackError {
    #[error("the unpacked body is larger than {MAX_BODY_BYTES} bytes")]
    Large,
    #[error("the body is not gzip: {0}")]
    Gzip(#[source] std::io::Error),
    #[error("the simulator unpacks gzip alone, not `{0}`")]
    Encoding(String),
}

impl UnpackError {
    /// The HTTP status of the refusal.
    pub(super) const fn status(&self) -> u16 {
        match self {
            Self::Large => 413,
            Self::Gzip(_) => 400,
            Self::Encoding(_) => 415,
        }
    }
}

/// The body as its sender meant it.
pub(super) fn body<'a>(
    packed: &'a [u8],
    encoding: Option<&str>,
) -> Result<Cow<'a, [u8]>, UnpackError> {
    match encoding {
        None | Some("" | "identity") => return Ok(packed.into()),
        Some("gzip") => {}
        Some(other) => return Err(UnpackError::Encoding(other.to_owned())),
    }
    let mut body = Vec::new();
    let limit = u64::try_from(MAX_BODY_BYTES).unwrap_or(u64::MAX);
    let size = flate2::read::GzDecoder::new(packed)
        .take(limit.saturating_add(1))
        .read_to_end(&mut body)
        .map_err(UnpackError::Gzip)?;
    if size <= MAX_BODY_BYTES {
        Ok(body.into())
    } else {
        Err(UnpackError::Large)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(bytes).unwrap();
        packer.finish().unwrap()
    }

    #[test]
    fn bodies_come_plain_or_as_gzip_within_a_bound() {
        assert_eq!(body(b"a", None).unwrap().as_ref(), b"a");
        assert_eq!(body(&packed(b"a"), Some("gzip")).unwrap().as_ref(), b"a");
        let status = |bytes: &[u8], encoding| body(bytes, Some(encoding)).unwrap_err().status();
        assert_eq!(status(b"a", "gzip"), 400);
        assert_eq!(status(b"a", "br"), 415);
        let largest = vec![0; MAX_BODY_BYTES];
        assert!(body(&packed(&largest), Some("gzip")).is_ok());
        let bomb = vec![0; MAX_BODY_BYTES + 1];
        assert_eq!(status(&packed(&bomb), "gzip"), 413);
    }
}
