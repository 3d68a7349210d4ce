//! Times in world files: `2d 14h 30m` after the start (a leading `-` is before it), or RFC 3339.

use crate::model::time::{SignedDuration, Timestamp};

/// A duration such as `90s`, `2d 14h` or `-16d`.
///
/// # Errors
/// A sentence fragment that says what would be right.
pub fn duration(text: &str) -> Result<SignedDuration, String> {
    let fault =
        || format!("`{text}` is no duration; write it like \"2d 14h 30m\", \"90s\" or \"-16d\"");
    let trimmed = text.trim();
    let (is_negative, rest) = trimmed
        .strip_prefix('-')
        .map_or((false, trimmed), |rest| (true, rest));
    let mut seconds: i64 = 0;
    let mut parts = 0;
    for word in rest.split_whitespace() {
        let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = match word.strip_prefix(digits) {
            Some("d") => 86_400,
            Some("h") => 3_600,
            Some("m") => 60,
            Some("s") => 1,
            Some(_) | None => return Err(fault()),
        };
        let count: i64 = digits.parse().map_err(|_| fault())?;
        if count < 0 {
            return Err(fault());
        }
        seconds = count
            .checked_mul(unit)
            .and_then(|part| seconds.checked_add(part))
            .ok_or_else(fault)?;
        parts += 1;
    }
    if parts == 0 {
        return Err(fault());
    }
    Ok(SignedDuration::from_secs(if is_negative {
        -seconds
    } else {
        seconds
    }))
}

/// An instant: a duration after `start`, or RFC 3339.
///
/// # Errors
/// A sentence fragment that says what would be right.
pub fn instant(text: &str, start: Timestamp) -> Result<Timestamp, String> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let offset = duration(text).map_err(|_| {
        format!("`{text}` is no time; write an offset from the start like \"2d 14h\", or RFC 3339 like \"2026-11-02T09:00:00Z\"")
    })?;
    start
        .checked_add(offset)
        .map_err(|_| format!("`{text}` lies beyond representable time"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_people_write_them() {
        assert_eq!(
            duration("2d 14h 30m").unwrap().as_secs(),
            2 * 86_400 + 14 * 3_600 + 1_800
        );
        assert_eq!(duration("-16d").unwrap().as_secs(), -16 * 86_400);
        for wrong in ["", "2", "d", "2w", "--1d", "1d-2h", "99999999999999999d"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
        let start: Timestamp = "2026-11-02T00:00:00Z".parse().unwrap();
        let expected: Timestamp = "2026-11-03T06:00:00Z".parse().unwrap();
        assert_eq!(instant("1d 6h", start).unwrap(), expected);
        assert_eq!(instant("2026-11-03T06:00:00Z", start).unwrap(), expected);
        assert!(instant("tomorrow", start).is_err());
    }
}
