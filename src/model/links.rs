//! Links that messages carry: where to look at what they are about, and where that stands.

use super::{catalog::Family, ids::Region};

/// A way to what a message is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What it leads to.
    pub kind: LinkKind,
    /// What people read, with account and Region: a console shows the account that is signed in.
    pub text: String,
    /// An absolute address, ASCII.
    pub url: String,
}

/// What a link leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinkKind {
    /// Our own page of the incident.
    Incident,
    /// Our own page where what waits for a person is decided, word for word.
    Decide,
    /// Its metrics, as a graph.
    Metric,
    /// The quota.
    Quota,
    /// The quota request.
    Request,
    /// The support case.
    Case,
}

impl LinkKind {
    /// All kinds, in the order in which they are told.
    pub const ALL: [Self; 6] = [
        Self::Incident,
        Self::Decide,
        Self::Metric,
        Self::Quota,
        Self::Request,
        Self::Case,
    ];

    /// The name in JSON and annotations.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Incident => "incident",
            Self::Decide => "decide",
            Self::Metric => "metric",
            Self::Quota => "quota",
            Self::Request => "request",
            Self::Case => "case",
        }
    }
}

/// Where things are shown.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Places {
    /// Our own page, as people reach it: an absolute address without a slash at its end.
    pub page: Option<String>,
    /// AWS's consoles.
    pub consoles: Vec<Console>,
    /// What graphs show.
    pub graphs: Vec<Graph>,
}

/// The console of some Regions. Addresses have places to be filled in, such as `{region}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Console {
    /// How the names of its Regions begin.
    pub regions: String,
    /// Of a graph: `{graph}`.
    pub metric: Option<String>,
    /// Of a quota: `{code}`.
    pub quota: Option<String>,
    /// Of the quota requests.
    pub requests: Option<String>,
    /// Of a support case: `{case}`.
    pub case: Option<String>,
}

/// Where a target is called, as far as CloudWatch tells it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `bedrock-runtime`.
    Runtime,
    /// `bedrock-mantle`.
    Mantle,
    /// All of `bedrock-runtime` together.
    Account,
}

impl Endpoint {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Runtime, Self::Mantle, Self::Account];

    /// That of a pool of this family.
    #[must_use]
    pub const fn of(family: Family) -> Self {
        match family {
            Family::OnDemand | Family::Geo | Family::Global => Self::Runtime,
            Family::Mantle => Self::Mantle,
            Family::Account => Self::Account,
        }
    }

    /// The name in data.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Runtime => "runtime",
            Self::Mantle => "mantle",
            Self::Account => "account",
        }
    }
}

/// What a graph shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graph {
    /// Of targets there.
    pub endpoint: Endpoint,
    /// Kinds of quota and categories, by their names.
    pub of: Vec<String>,
    /// Of the metrics.
    pub namespace: String,
    /// The one dimension, whose value is the target; without it the account's own metrics.
    pub dimension: Option<String>,
    /// Names of metrics, one at least.
    pub metrics: Vec<String>,
    /// Such as `Sum` or `p90`.
    pub stat: String,
}

impl Places {
    /// The console of this Region.
    #[must_use]
    pub fn console(&self, region: &Region) -> Option<&Console> {
        let fitting = self.consoles.iter();
        let fitting = fitting.filter(|it| region.as_str().starts_with(&it.regions));
        fitting.max_by_key(|it| it.regions.len())
    }

    /// What is drawn of this kind of quota or category.
    #[must_use]
    pub fn graph(&self, endpoint: Endpoint, of: &str) -> Option<&Graph> {
        let mut fitting = self.graphs.iter().filter(|it| it.endpoint == endpoint);
        fitting.find(|it| it.of.iter().any(|name| name == of))
    }

    /// Where the console shows this case.
    #[must_use]
    pub fn case(&self, region: &Region, number: &str) -> Option<String> {
        let pattern = self.console(region)?.case.as_deref()?;
        Some(filled(pattern, region, ("case", &percent(number))))
    }
}

/// The address with the Region and one more value in it. The value is put in as it is.
#[must_use]
pub fn filled(pattern: &str, region: &Region, (name, value): (&str, &str)) -> String {
    let with_region = pattern.replace("{region}", &percent(region.as_str()));
    with_region.replace(&format!("{{{name}}}"), value)
}

/// A value as it may stand in an address: all but letters, digits and `-._~` as `%XX`.
#[must_use]
pub fn percent(value: &str) -> String {
    escaped(value, '%')
}

/// A text in a graph's address, as the console writes it: `'` and the text, all but letters, digits and `-._` as `*xx`.
#[must_use]
pub fn graph_text(value: &str) -> String {
    format!("'{}", escaped(value, '*').replace('~', "*7e"))
}

fn escaped(value: &str, mark: char) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else if mark == '%' {
            out.push_str(&format!("%{byte:02X}"));
        } else {
            out.push_str(&format!("{mark}{byte:02x}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_an_address_can_change_nothing_of_it() {
        assert_eq!(percent("L-15B8E632"), "L-15B8E632");
        assert_eq!(percent("a/b?c=é#|<"), "a%2Fb%3Fc%3D%C3%A9%23%7C%3C");
        // As the console writes it: AWS*2fBedrock, and a colon of a model's id.
        assert_eq!(graph_text("AWS/Bedrock"), "'AWS*2fBedrock");
        assert_eq!(
            graph_text("amazon.nova-lite-v1:0~"),
            "'amazon.nova-lite-v1*3a0*7e"
        );
    }
}
