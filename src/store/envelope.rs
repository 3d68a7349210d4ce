//! The envelope around every stored value: magic, shape version, part, sequence, length, CRC.
//!
//! A value longer than [`PART`] is split into parts. `sled` keeps small values in its one log file and puts big ones
//! into files of their own, which our fsync of the log would not cover.

/// Most bytes of a body in one part: with its key well below the 4 KiB up to which a value stays in the log.
pub(crate) const PART: usize = 3_500;
/// Most parts of one record: 14 MB, far above anything we write.
pub(crate) const MOST_PARTS: usize = 4_000;
/// What every stored value begins with; it is also how `salvage` finds values in a file that nobody can open.
pub(crate) const MAGIC: [u8; 4] = *b"BOA\xb7";
/// Bytes before the body.
pub(crate) const HEADER: usize = 28;

/// One stored value, taken out of its envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part<'a> {
    pub(crate) shape: u8,
    /// What kind of value it is: the first byte of the key it belongs to.
    pub(crate) realm: u8,
    pub(crate) index: u16,
    pub(crate) count: u16,
    pub(crate) sequence: u64,
    pub(crate) body: &'a [u8],
    pub(crate) crc: u32,
}

/// Puts one part into its envelope.
pub(crate) fn seal(part: &Part<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER + part.body.len());
    out.extend(MAGIC);
    out.extend([part.shape, part.realm]);
    out.extend([0, 0]); // room for flags; must be zero
    out.extend(part.index.to_be_bytes());
    out.extend(part.count.to_be_bytes());
    out.extend(part.sequence.to_be_bytes());
    out.extend(
        u32::try_from(part.body.len())
            .unwrap_or(u32::MAX)
            .to_be_bytes(),
    ); // at most PART
    let crc = crc(&[&out, part.body]);
    out.extend(crc.to_be_bytes());
    out.extend(part.body);
    out
}

/// Opens the envelope that `bytes` begin with; what follows it is returned too.
pub(crate) fn unseal(bytes: &[u8]) -> Result<(Part<'_>, &[u8]), &'static str> {
    let (head, rest) = bytes.split_at_checked(HEADER).ok_or("it is too short")?;
    let (covered, stored_crc) = head.split_at_checked(HEADER - 4).ok_or("it is too short")?;
    let mut fields = covered;
    if take::<4>(&mut fields) != Some(MAGIC) {
        return Err("it does not begin as our values do");
    }
    let short = "it is too short";
    let [shape, realm, flag_a, flag_b] = take(&mut fields).ok_or(short)?;
    let index = u16::from_be_bytes(take(&mut fields).ok_or(short)?);
    let count = u16::from_be_bytes(take(&mut fields).ok_or(short)?);
    let sequence = u64::from_be_bytes(take(&mut fields).ok_or(short)?);
    let length = u32::from_be_bytes(take(&mut fields).ok_or(short)?);
    let length = usize::try_from(length).map_err(|_| "its length is absurd")?;
    let (body, rest) = rest.split_at_checked(length).ok_or("its end is missing")?;
    let mut stored_crc = stored_crc;
    let stored_crc = u32::from_be_bytes(take(&mut stored_crc).ok_or(short)?);
    if crc(&[covered, body]) != stored_crc {
        return Err("its checksum does not match");
    }
    if (flag_a, flag_b) != (0, 0) || count == 0 || count <= index {
        return Err("its header contradicts itself");
    }
    let part = Part {
        shape,
        realm,
        index,
        count,
        sequence,
        body,
        crc: stored_crc,
    };
    Ok((part, rest))
}

/// Opens an envelope that must fill `bytes`.
pub(crate) fn unseal_all(bytes: &[u8]) -> Result<Part<'_>, &'static str> {
    match unseal(bytes)? {
        (part, []) => Ok(part),
        (_, _more) => Err("it is too long"),
    }
}

/// CRC-32 (IEEE) of the pieces as one.
pub(crate) fn crc(pieces: &[&[u8]]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for piece in pieces {
        hasher.update(piece);
    }
    hasher.finalize()
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk()?;
    *rest = tail;
    Some(*head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed() -> Vec<u8> {
        seal(&Part {
            shape: 1,
            realm: b'r',
            index: 1,
            count: 3,
            sequence: 77,
            body: b"something worth keeping",
            crc: 0,
        })
    }

    #[test]
    fn what_is_sealed_opens() {
        let bytes = sealed();
        let part = unseal_all(&bytes).unwrap();
        assert_eq!((part.index, part.count, part.sequence), (1, 3, 77));
        assert_eq!(part.body, b"something worth keeping");
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let bytes = sealed();
        for bit in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(unseal_all(&bad).is_err(), "bit {bit}");
        }
        for length in 0..bytes.len() {
            assert!(unseal_all(&bytes[..length]).is_err(), "length {length}");
        }
    }
}
