//! Values with units and identifiers of AWS: each checked once, where it is written.

use std::net::{IpAddr, SocketAddr};

use super::fault::Wrong;
use crate::model::{
    ids::{AccountId, Region},
    rule::Window,
    units::Share,
};

/// Whole minutes: `"5m"`, `"5 min"`, `"24h"`, `"7 days"`. At least one, at most a year.
pub(super) fn minutes(text: &str) -> Result<i64, Wrong> {
    const YEAR: f64 = 366.0 * 1_440.0;
    let help =
        "write a number and a unit: \"90s\" is too fine, \"5m\", \"24h\" and \"7d\" are fine";
    let seconds = seconds(text, help)?;
    let minutes = seconds / 60.0;
    if minutes.fract().abs() > f64::EPSILON {
        return Err(Wrong::new(
            "must be whole minutes",
            "not a whole number of minutes",
            help,
        ));
    }
    if !(1.0..=YEAR).contains(&minutes) {
        return Err(Wrong::new(
            "must be from 1 minute to 366 days",
            "out of range",
            help,
        ));
    }
    format!("{minutes:.0}").parse().map_err(|_| {
        Wrong::new(
            "must be whole minutes",
            "not a whole number of minutes",
            help,
        )
    })
}

/// Milliseconds: `"800 ms"`, `"30s"`, `"1.5 s"`.
pub(super) fn millis(text: &str) -> Result<f64, Wrong> {
    let help = "write a number and a unit, such as \"800 ms\" or \"30 s\"";
    let millis = seconds(text, help)? * 1_000.0;
    if (1.0..=3_600_000.0).contains(&millis) {
        Ok(millis)
    } else {
        Err(Wrong::new(
            "must be from 1 ms to 1 hour",
            "out of range",
            help,
        ))
    }
}

fn seconds(text: &str, help: &str) -> Result<f64, Wrong> {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let unit = unit.trim();
    let Ok(number) = digits.parse::<f64>() else {
        return Err(Wrong::new(
            "must be a length of time",
            "no number in front",
            help,
        ));
    };
    let factor = match unit {
        "ms" | "millis" | "millisecond" | "milliseconds" => 0.001,
        "s" | "sec" | "second" | "seconds" => 1.0,
        "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
        "h" | "hour" | "hours" => 3_600.0,
        "d" | "day" | "days" => 86_400.0,
        "w" | "week" | "weeks" => 604_800.0,
        "" => return Err(Wrong::new("must have a unit", "minutes? hours?", help)),
        other => {
            return Err(Wrong::new(
                format!("has an unknown unit of time: \"{other}\""),
                "units are ms, s, m, h, d, w",
                help,
            ));
        }
    };
    Ok(number * factor)
}

/// `"64 MB"`, `"1.5 GB"`, `"512 MiB"`, `"0 MB"`: at most a petabyte.
pub(super) fn bytes(text: &str) -> Result<u64, Wrong> {
    const MOST: f64 = 1e15;
    let help = "write a number and a unit, such as \"64 MB\" or \"2 GB\"";
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let Ok(number) = digits.parse::<f64>() else {
        return Err(Wrong::new("must be a size", "no number in front", help));
    };
    let factor = match unit.trim() {
        "KB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        "TB" => 1e12,
        "KiB" => 1_024.0,
        "MiB" => 1_048_576.0,
        "GiB" => 1_073_741_824.0,
        "TiB" => 1_099_511_627_776.0,
        "" => return Err(Wrong::new("must have a unit", "MB? GB?", help)),
        other => {
            return Err(Wrong::new(
                format!("has an unknown unit of size: \"{other}\""),
                "units are KB, MB, GB, TB and KiB, MiB, GiB, TiB",
                help,
            ));
        }
    };
    let bytes = number * factor;
    if !(0.0..=MOST).contains(&bytes) {
        return Err(Wrong::new("must be at most 1000 TB", "out of range", help));
    }
    format!("{bytes:.0}")
        .parse()
        .map_err(|_| Wrong::new("must be a size", "no size", help))
}

/// `"10 USD"`, `"7.50 USD"`, `"$10"`: at least a cent, at most a million.
pub(super) fn usd(text: &str) -> Result<f64, Wrong> {
    let help = "write a number and the currency, such as \"10 USD\"";
    let text = text.trim();
    let number = text.strip_suffix("USD").or_else(|| text.strip_prefix('$'));
    let Some(number) = number else {
        return Err(Wrong::new(
            "must be an amount in USD",
            "which currency?",
            help,
        ));
    };
    match number.trim().parse::<f64>() {
        Ok(usd) if (0.01..=1_000_000.0).contains(&usd) => Ok(usd),
        Ok(_) => Err(Wrong::new(
            "must be from 0.01 USD to 1000000 USD",
            "out of range",
            help,
        )),
        Err(_) => Err(Wrong::new("must be an amount in USD", "no number", help)),
    }
}

/// `"80 %"`, `"0.5%"`: above 0 and at most 100.
pub(super) fn share(text: &str) -> Result<Share, Wrong> {
    let help = "write it with its unit, such as \"80 %\"";
    let Some(number) = text.trim().strip_suffix('%') else {
        return Err(Wrong::new(
            "must be a share in percent",
            "the % is missing",
            help,
        ));
    };
    let Ok(percent) = number.trim().parse::<f64>() else {
        return Err(Wrong::new(
            "must be a share in percent",
            "not a number",
            help,
        ));
    };
    if !(0.0 < percent && percent <= 100.0) {
        return Err(Wrong::new(
            "must be above 0 % and at most 100 %",
            "100 % is all there is",
            "to be told before the limit is reached, try \"80 %\"",
        ));
    }
    let points = format!("{:.0}", percent * 100.0).parse::<u16>().ok();
    points
        .and_then(Share::from_basis_points)
        .ok_or_else(|| Wrong::new("must be at least 0.01 %", "finer than a basis point", help))
}

/// `"3 of 5"`: 1 <= M <= N <= 60.
pub(super) fn window(text: &str) -> Result<Window, Wrong> {
    let help = "write how many bad minutes out of how many, such as \"3 of 5\"";
    let parts: Vec<&str> = text.split_whitespace().collect();
    let [bad, "of", of] = parts.as_slice() else {
        return Err(Wrong::new("must look like \"3 of 5\"", "M of N", help));
    };
    let (Ok(bad), Ok(of)) = (bad.parse::<u8>(), of.parse::<u8>()) else {
        return Err(Wrong::new(
            "must be two whole numbers up to 60",
            "M of N",
            help,
        ));
    };
    if of < bad {
        return Err(Wrong::new(
            format!("{bad} bad minutes never fit into {of}"),
            "M is more than N",
            help,
        ));
    }
    Window::new(bad, of).ok_or_else(|| {
        Wrong::new(
            "must be from \"1 of 1\" to \"60 of 60\"",
            "out of range",
            help,
        )
    })
}

/// Twelve digits.
pub(super) fn account(text: &str) -> Result<AccountId, Wrong> {
    if is_account(text) {
        return Ok(AccountId::new(text));
    }
    Err(Wrong::new(
        "must be an AWS account id: twelve digits",
        format!("{} characters", text.chars().count()),
        "`aws sts get-caller-identity` prints yours; keep leading zeros, without dashes",
    ))
}

/// Such as `us-east-1` or `us-gov-west-1`: the shape is checked, since new Regions appear.
pub(super) fn region(text: &str) -> Result<Region, Wrong> {
    if is_region(text) {
        return Ok(Region::new(text));
    }
    Err(Wrong::new(
        "must be an AWS Region",
        "not the shape of a Region",
        "such as \"us-east-1\"; an Availability Zone (\"us-east-1a\") or a place name is not one",
    ))
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

pub(super) fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let Some((number, words)) = parts.split_last() else {
        return false;
    };
    let is_word = |word: &&str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
    (2..=3).contains(&words.len())
        && words.iter().all(is_word)
        && words
            .first()
            .is_some_and(|word| word.len() == 2 || words.len() == 3)
        && (1..=2).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// An ARN split into what matters to us.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Arn {
    pub(super) region: String,
    pub(super) account: AccountId,
    pub(super) text: String,
}

/// The ARN of an SNS topic.
pub(super) fn topic_arn(text: &str) -> Result<Arn, Wrong> {
    let help = "such as \"arn:aws:sns:us-east-1:111122223333:on-call\"";
    let arn = arn(text, "sns", help)?;
    if !is_region(&arn.region) {
        return Err(Wrong::new(
            "must name the Region of the topic",
            "its fourth part is no Region",
            help,
        ));
    }
    let topic = text.splitn(6, ':').nth(5).unwrap_or_default();
    let is_name = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_' || b == b'.';
    if topic.is_empty() || !topic.bytes().all(is_name) {
        return Err(Wrong::new(
            "must be the ARN of a topic, not of a subscription",
            "its last part is no topic name",
            help,
        ));
    }
    Ok(arn)
}

/// The ARN of an IAM role.
pub(super) fn role_arn(text: &str) -> Result<Arn, Wrong> {
    let help = "such as \"arn:aws:iam::111122223333:role/bedrock-ops-alert\"";
    let arn = arn(text, "iam", help)?;
    let resource = text.splitn(6, ':').nth(5).unwrap_or_default();
    let is_role = resource
        .strip_prefix("role/")
        .is_some_and(|name| !name.is_empty());
    if is_role && arn.region.is_empty() {
        return Ok(arn);
    }
    Err(Wrong::new(
        "must be the ARN of an IAM role",
        "not a role",
        help,
    ))
}

/// The ARN of who calls models: a role, a user or a group.
pub(super) fn principal_arn(text: &str) -> Result<Arn, Wrong> {
    let help = "such as \"arn:aws:iam::111122223333:role/app\"";
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    if let ["arn", _, "sts", _, _, session] = parts.as_slice()
        && session.starts_with("assumed-role/")
    {
        return Err(Wrong::new(
            "must be the role itself",
            "a session of a role",
            "name the role, with its path: policies are the role's",
        ));
    }
    let arn = arn(text, "iam", help)?;
    let resource = parts.get(5).copied().unwrap_or_default();
    let kinds = ["role/", "user/", "group/"];
    let mut names = kinds.iter().filter_map(|kind| resource.strip_prefix(kind));
    if names.any(|name| !name.is_empty() && !name.ends_with('/')) && arn.region.is_empty() {
        return Ok(arn);
    }
    Err(Wrong::new(
        "must be the ARN of an IAM role, user or group",
        "none of them",
        help,
    ))
}

pub(super) fn arn(text: &str, service: &str, help: &str) -> Result<Arn, Wrong> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", partition, named, region, account, _] = parts.as_slice() else {
        return Err(Wrong::new(
            "must be an ARN",
            "an ARN has six parts with : between them",
            help,
        ));
    };
    if !partition.starts_with("aws") || *named != service {
        return Err(Wrong::new(
            format!("must be an ARN of {service}"),
            format!("this one is of \"{partition}:{named}\""),
            help,
        ));
    }
    if !is_account(account) {
        return Err(Wrong::new(
            "must name an account of twelve digits",
            "its fifth part is no account id",
            help,
        ));
    }
    Ok(Arn {
        region: (*region).to_owned(),
        account: AccountId::new(*account),
        text: text.to_owned(),
    })
}

/// Address and port.
pub(super) fn address(text: &str) -> Result<SocketAddr, Wrong> {
    text.parse().map_err(|_| {
        Wrong::new(
            "must be an address and a port",
            "not an IP address with a port",
            "such as \"127.0.0.1:9464\"",
        )
    })
}

/// A name of a host, in lower case, without scheme and port.
pub(super) fn host(text: &str) -> Result<String, Wrong> {
    let labels = text.split('.');
    let is_label = |label: &str| {
        let mut bytes = label.bytes();
        (1..=63).contains(&label.len())
            && bytes.all(|it| it.is_ascii_alphanumeric() || it == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if text.len() <= 253 && labels.into_iter().all(is_label) {
        return Ok(text.to_ascii_lowercase());
    }
    Err(Wrong::new(
        "must be the name of a host",
        "not a name",
        "as it stands in the browser, without scheme and port: \"monitor.internal.example\"",
    ))
}

/// Characters of the page's address: it stands in each message.
const MOST_PAGE_URL: usize = 200;

/// The address of our own page as people reach it, without a slash at its end. It may be plain HTTP: nothing is sent there
/// by us, and inside a network that is how the page may be served.
pub(super) fn page_url(text: &str) -> Result<String, Wrong> {
    let text = text.trim_end_matches('/');
    let (host, port) = split_authority(text);
    let rest = text.strip_prefix("https://");
    let has_scheme = rest.or_else(|| text.strip_prefix("http://")).is_some();
    let is_host = host.parse::<IpAddr>().is_ok() || self::host(host).is_ok();
    let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok());
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~%/:[]".contains(c);
    let is_fine = text.len() <= MOST_PAGE_URL && text.chars().all(is_plain);
    if has_scheme && is_host && is_port && is_fine {
        return Ok(text.to_owned());
    }
    Err(Wrong::new(
        format!(
            "must be an http or https address of at most {MOST_PAGE_URL} characters, without user, query and fragment"
        ),
        "not an address that people could follow",
        "as it stands in the browser: \"https://monitor.internal.example\"",
    ))
}

/// The host of an address.
pub(super) fn host_of(url: &str) -> &str {
    split_authority(url).0
}

/// Host and port of an address, brackets aside.
fn split_authority(url: &str) -> (&str, Option<&str>) {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    match authority
        .strip_prefix('[')
        .and_then(|it| it.split_once(']'))
    {
        Some((host, "")) => (host, None),
        Some((host, port)) => (host, Some(port.strip_prefix(':').unwrap_or(port))),
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    }
}

/// The name of a log group. (AWS, CreateLogGroup.)
pub(super) fn log_group(text: &str) -> Result<String, Wrong> {
    const MOST: usize = 512;
    let is_fine = |it: char| it.is_ascii_alphanumeric() || "._-/#".contains(it);
    if text.is_empty() || MOST < text.len() || !text.chars().all(is_fine) {
        return Err(Wrong::new(
            format!(
                "is no name of a log group: 1 to {MOST} letters, digits and `.`, `_`, `-`, `/`, `#`"
            ),
            "not a log group",
            "write the name, not the ARN, such as \"/aws/bedrock/invocations\"",
        ));
    }
    Ok(text.to_owned())
}

/// Words for people.
pub(super) fn words(text: &str) -> Result<String, Wrong> {
    const MOST: usize = 2_000;
    if text.trim().is_empty() || text.chars().count() > MOST {
        return Err(Wrong::new(
            format!("must be 1 to {MOST} characters"),
            "empty or too long",
            "leave the key out if there is nothing to say",
        ));
    }
    Ok(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_ways_to_write_a_length_of_time_are_understood() {
        for (text, expected) in [
            ("5m", 5),
            ("5 m", 5),
            ("5 min", 5),
            ("120s", 2),
            ("24h", 1_440),
            ("7 days", 10_080),
        ] {
            assert_eq!(minutes(text).unwrap(), expected, "{text}");
        }
        for bad in [
            "5",
            "m",
            "5 parsecs",
            "90s",
            "0m",
            "-5m",
            "1e9d",
            "NaN m",
            "999999d",
            "",
        ] {
            assert!(minutes(bad).is_err(), "{bad}");
        }
        assert!((millis("1.5 s").unwrap() - 1_500.0).abs() < 1e-9);
    }

    #[test]
    fn sizes_have_a_unit() {
        for (text, expected) in [
            ("64 MB", 64_000_000),
            ("1.5GB", 1_500_000_000),
            ("512 MiB", 536_870_912),
            ("0 MB", 0),
        ] {
            assert_eq!(bytes(text).unwrap(), expected, "{text}");
        }
        for bad in [
            "64", "MB", "-1 MB", "64 mb", "64 Mbit", "1001 TB", "NaN MB", "",
        ] {
            assert!(bytes(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn money_has_a_currency() {
        for (text, expected) in [("10 USD", 10.0), ("7.50USD", 7.5), ("$10", 10.0)] {
            assert!((usd(text).unwrap() - expected).abs() < 1e-9, "{text}");
        }
        for bad in [
            "10", "10 EUR", "-1 USD", "0 USD", "NaN USD", "inf USD", "USD", "",
        ] {
            assert!(usd(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn shares_end_at_one_hundred_percent() {
        assert_eq!(share("80 %").unwrap().basis_points(), 8_000);
        assert_eq!(share("0.5%").unwrap().basis_points(), 50);
        for bad in ["80", "0 %", "180 %", "-1 %", "NaN %", "0.001 %", "%"] {
            assert!(share(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn windows_hold_what_they_need() {
        assert_eq!(window("3 of 5").unwrap(), Window::new(3, 5).unwrap());
        for bad in ["5 of 3", "0 of 5", "3 of 61", "3/5", "three of five", ""] {
            assert!(window(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn regions_and_arns_are_told_from_look_alikes() {
        for good in [
            "us-east-1",
            "ap-southeast-4",
            "us-gov-west-1",
            "me-central-1",
        ] {
            assert!(region(good).is_ok(), "{good}");
        }
        for bad in ["us-east-1a", "Frankfurt", "us_east_1", "useast1", "-1", ""] {
            assert!(region(bad).is_err(), "{bad}");
        }
        assert!(topic_arn("arn:aws:sns:us-east-1:111122223333:on-call").is_ok());
        for bad in [
            "on-call",
            "arn:aws:sqs:us-east-1:111122223333:on-call",
            "arn:aws:sns:us-east-1:1111:on-call",
            "arn:aws:sns:us-east-1:111122223333:on-call:0d1c",
        ] {
            assert!(topic_arn(bad).is_err(), "{bad}");
        }
        assert!(role_arn("arn:aws:iam::111122223333:role/path/name").is_ok());
        assert!(role_arn("arn:aws:iam::111122223333:user/name").is_err());
        for good in ["role/path/name", "user/name", "group/name"] {
            let arn = format!("arn:aws:iam::111122223333:{good}");
            assert!(principal_arn(&arn).is_ok(), "{good}");
        }
        for bad in [
            "arn:aws:iam::111122223333:root",
            "arn:aws:iam::111122223333:role/",
            "arn:aws:sts::111122223333:assumed-role/app/session",
            "arn:aws:iam::*:role/app",
        ] {
            assert!(principal_arn(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_page_has_an_address_that_a_browser_takes() {
        for (good, host) in [
            (
                "https://monitor.internal.example",
                "monitor.internal.example",
            ),
            ("https://ops.example/bedrock", "ops.example"),
            ("http://127.0.0.1:9464", "127.0.0.1"),
            ("http://[::1]:9464", "::1"),
        ] {
            let slash = format!("{good}/");
            assert_eq!(page_url(&slash).ok().as_deref(), Some(good));
            assert_eq!(host_of(good), host);
        }
        for bad in [
            "",
            "https://",
            "monitor.internal.example",
            "ftp://a.b",
            "https://user:pass@a.b",
            "https://a.b/?q=1",
            "https://a.b/#x",
            "https://a.b/<x>",
            "https://a.b/a|b",
            "https://a b",
            "https://a.b:99999",
            "https://[::1",
            "https://größe.example",
        ] {
            assert!(page_url(bad).is_err(), "{bad}");
        }
        assert!(page_url(&format!("https://a.b/{}", "x".repeat(200))).is_err());
    }

    #[test]
    fn addresses_have_a_port_and_hosts_have_none() {
        for good in ["127.0.0.1:9464", "[::1]:9464", "0.0.0.0:80"] {
            assert!(address(good).is_ok(), "{good}");
        }
        for bad in ["localhost", "9464", "127.0.0.1", "127.0.0.1:99999"] {
            assert!(address(bad).is_err(), "{bad}");
        }
        assert_eq!(
            host("Monitor.Internal").ok().as_deref(),
            Some("monitor.internal")
        );
        for bad in [
            "",
            "a.b:80",
            "https://a.b",
            "a..b",
            "-a",
            "a_b",
            "a b",
            "*.a",
        ] {
            assert!(host(bad).is_err(), "{bad}");
        }
    }
}
