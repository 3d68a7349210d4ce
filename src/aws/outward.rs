//! Where messages may go: to any host, in private networks too, but never to an address of the link itself. Machines and
//! containers answer there with their credentials, and the only receivers that live there are those behind VPC Lattice.
//!
//! What counts is the address that is connected to. Names are looked up here and nowhere else, so that none can answer
//! twice; addresses in a URL, in whatever notation, are what the URL's own parser makes of them.

use std::{
    error::Error,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::LazyLock,
};

use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};
use serde::Deserialize;

/// IPv4 behind a translator: `64:ff9b::/96`.
const TRANSLATED: [u16; 6] = [0x64, 0xff9b, 0, 0, 0, 0];

/// What AWS has at such addresses.
static LINK: LazyLock<Link> = LazyLock::new(|| {
    let link: Result<Link, _> = toml::from_str(include_str!("data/link.toml"));
    debug_assert!(link.is_ok(), "{link:?}");
    link.unwrap_or_default() // without its exceptions, all of the link is refused
});

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Link {
    refused: Vec<Range>,
    open: Vec<Range>,
}

/// Addresses that begin alike, as `169.254.171.0/24`.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Range {
    first: u128,
    bits: u32,
}

impl Range {
    fn has(&self, address: IpAddr) -> bool {
        let apart = self.first ^ number(address);
        apart.leading_zeros() >= self.bits
    }
}

impl TryFrom<String> for Range {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no range of addresses");
        let (first, bits) = text.split_once('/').ok_or_else(wrong)?;
        let first: IpAddr = first.parse().map_err(|_| wrong())?;
        let bits: u32 = bits.parse().map_err(|_| wrong())?;
        let before = if first.is_ipv4() { 96 } else { 0 };
        let first = number(first);
        let bits = before + bits;
        (bits <= 128)
            .then_some(Self { first, bits })
            .ok_or_else(wrong)
    }
}

/// One number for both kinds: an IPv4 address is the IPv6 one that stands for it.
fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(it) => it.to_ipv6_mapped().to_bits(),
        IpAddr::V6(it) => it.to_bits(),
    }
}

/// Why nothing is sent there.
pub(crate) const REFUSED: &str = "its host is an address of this machine's own link, where credentials are given out: nothing is sent there";

/// Looks names up, and leaves out what must not be connected to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outward;

impl Resolve for Outward {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(allowed(found)?)
        })
    }
}

fn allowed(found: impl Iterator<Item = SocketAddr>) -> std::io::Result<Addrs> {
    let allowed: Vec<SocketAddr> = found.filter(|it| !is_own_link(it.ip())).collect();
    if allowed.is_empty() {
        return Err(std::io::Error::other(REFUSED));
    }
    Ok(Box::new(allowed.into_iter()))
}

/// Whether this URL names such an address itself. One that can't be read leads nowhere, and is told by whoever sends.
pub(crate) fn is_refused(url: &str) -> bool {
    let url = Url::parse(url).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    literal.parse().is_ok_and(is_own_link)
}

/// Whether a connection failed since its name leads only there.
pub(crate) fn was_refused(error: &dyn Error) -> bool {
    let mut cause = Some(error);
    while let Some(it) = cause {
        if it.to_string() == REFUSED {
            return true;
        }
        cause = it.source();
    }
    false
}

fn is_own_link(address: IpAddr) -> bool {
    let address = match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(it) => inner_v4(it).map_or(address, IpAddr::V4),
    };
    let is_of_link = match address {
        IpAddr::V4(it) => is_own_link_v4(it),
        IpAddr::V6(it) => it.is_unicast_link_local() || it.is_unspecified() || it.is_multicast(),
    };
    let is_in = |ranges: &[Range]| ranges.iter().any(|it| it.has(address));
    (is_of_link || is_in(&LINK.refused)) && !is_in(&LINK.open)
}

fn is_own_link_v4(it: Ipv4Addr) -> bool {
    it.is_link_local() || it.is_unspecified() || it.is_multicast() || it.is_broadcast()
}

/// The IPv4 address that an IPv6 one stands for. `::` and `::1` stand for themselves.
fn inner_v4(it: Ipv6Addr) -> Option<Ipv4Addr> {
    if it.is_unspecified() || it.is_loopback() {
        return None;
    }
    let [a, b, c, d, e, f, high, low] = it.segments();
    let is_translated = [a, b, c, d, e, f] == TRANSLATED;
    let tail = Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, high, low);
    it.to_ipv4()
        .or_else(|| tail.to_ipv4_mapped().filter(|_| is_translated))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_notation_leads_to_the_link() {
        let forms = [
            "169.254.169.254",
            "169.254.169.254:80",
            "user@169.254.169.254",
            "169.254.169.254.",
            "169.254.170.2",
            "169.254.0.1",
            "2852039166",
            "0xa9fea9fe",
            "0XA9FEA9FE",
            "0251.0376.0251.0376",
            "0xa9.0xfe.0xa9.0xfe",
            "169.254.43518",
            "169.16689662",
            "0xa9.254.0251.254",
            "[::ffff:169.254.169.254]",
            "[::ffff:a9fe:a9fe]",
            "[0:0:0:0:0:ffff:a9fe:a9fe]",
            "[::169.254.169.254]",
            "[64:ff9b::169.254.169.254]",
            "[64:ff9b::a9fe:a9fe]",
            "[fd00:ec2::254]",
            "[fd00:ec2::23]",
            "[fd00:0ec2:0:0:0:0:0:254]",
            "[fe80::1]",
            "[fe80:0:0:0:a00:27ff:fe4e:66a1]",
            "[febf::1]",
            "[ff02::1]",
            "[::]",
            "0.0.0.0",
            "0",
            "0x0",
            "224.0.0.1",
            "239.255.255.250",
            "255.255.255.255",
            "4294967295",
            "１６９.254.169.254",
            "169。254。169。254",
            "%31%36%39.254.169.254",
            "169.254.169.%32%35%34",
            "0xa9fea9fe:8080",
        ];
        assert!(40 <= forms.len());
        for form in forms {
            for scheme in ["http", "https"] {
                let url = format!("{scheme}://{form}/latest/meta-data/");
                // What is no URL at all can't be sent to: ours are of ASCII.
                assert!(is_refused(&url) || Url::parse(&url).is_err(), "{url}");
            }
        }
    }

    #[test]
    fn hosts_of_people_are_reached_in_private_networks_too() {
        for host in [
            "hooks.slack.com",
            "10.0.0.7:9093",
            "172.16.3.4",
            "192.168.1.1",
            "127.0.0.1:9093",
            "[::1]:9093",
            "[fd12:3456::1]",
            "[2600:1f18::1]",
            "169.253.1.1",
            // Names of VPC Lattice lead there.
            "169.254.171.33",
            "[fd00:ec2:80::a9fe:ab21]",
            "alertmanager",
        ] {
            assert!(!is_refused(&format!("http://{host}/x")), "{host}");
        }
    }

    #[test]
    fn a_name_that_leads_there_leads_nowhere() {
        let at = |text: &str| SocketAddr::new(text.parse().unwrap(), 443);
        let both = [at("169.254.169.254"), at("203.0.113.7"), at("fe80::1")];
        let left: Vec<SocketAddr> = allowed(both.into_iter()).unwrap().collect();
        assert_eq!(left, [at("203.0.113.7")]);
        let refused = allowed([at("169.254.169.254")].into_iter()).err().unwrap();
        assert!(was_refused(&refused));
        assert!(!was_refused(&std::io::Error::other("no route")));
    }

    #[tokio::test]
    async fn a_post_to_such_a_name_says_why() {
        /// Every name leads to the link.
        struct Own;
        impl Resolve for Own {
            fn resolve(&self, _: Name) -> Resolving {
                let own = SocketAddr::from(([169, 254, 169, 254], 0));
                Box::pin(async move { Ok(allowed([own].into_iter())?) })
            }
        }
        let client = reqwest::Client::builder().no_proxy().dns_resolver(Own);
        let sent = client.build().unwrap().get("http://hooks.example/").send();
        let error = sent.await.unwrap_err();
        assert!(was_refused(&error), "{error:?}");
    }
}
