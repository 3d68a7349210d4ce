//! Where AWS's consoles show things: data, beside which stands the address of our own page.

use serde::Deserialize;

use crate::model::links::{Console, Endpoint, Graph, Places};

const CONSOLES: &str = include_str!("data/consoles.toml");

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    console: Vec<ConsoleRow>,
    graph: Vec<GraphRow>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConsoleRow {
    regions: String,
    metric: Option<String>,
    quota: Option<String>,
    requests: Option<String>,
    case: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GraphRow {
    endpoint: String,
    of: Vec<String>,
    namespace: String,
    dimension: Option<String>,
    metrics: Vec<String>,
    stat: String,
}

/// The consoles and graphs that are known; no page of ours.
#[must_use]
pub fn builtin_places() -> Places {
    let table: Result<Table, _> = toml::from_str(CONSOLES);
    debug_assert!(table.is_ok(), "{table:?}");
    let table = table.unwrap_or_default();
    let consoles = table.console.into_iter().map(|it| Console {
        regions: it.regions,
        metric: it.metric,
        quota: it.quota,
        requests: it.requests,
        case: it.case,
    });
    let graphs = table.graph.into_iter().filter_map(|it| {
        let mut known = Endpoint::ALL.into_iter();
        Some(Graph {
            endpoint: known.find(|endpoint| endpoint.name() == it.endpoint)?,
            of: it.of,
            namespace: it.namespace,
            dimension: it.dimension,
            metrics: it.metrics,
            stat: it.stat,
        })
    });
    Places {
        page: None,
        consoles: consoles.collect(),
        graphs: graphs.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{catalog::Family, ids::Region, rule::Category};

    #[test]
    fn each_partition_has_a_console_of_its_own_or_none() {
        let places = builtin_places();
        let hosts = ["us-east-1", "us-gov-west-1", "cn-north-1", "eusc-de-east-1"].map(|name| {
            let region = Region::new(name);
            let console = places.console(&region).unwrap();
            let quota = console.quota.as_deref().unwrap();
            quota.split('/').nth(2).unwrap().to_owned()
        });
        assert_eq!(
            hosts.join(" "),
            "{region}.console.aws.amazon.com {region}.console.amazonaws-us-gov.com \
             {region}.console.amazonaws.cn {region}.console.amazonaws-eusc.eu"
        );
        for secret in ["us-iso-east-1", "us-isob-east-1", "eu-isoe-west-1"] {
            let console = places.console(&Region::new(secret)).unwrap();
            assert_eq!(console.metric, None, "{secret}");
        }
    }

    #[test]
    fn each_address_has_the_places_that_are_filled_in() {
        for console in builtin_places().consoles {
            let all = [
                (&console.metric, "{graph}"),
                (&console.quota, "{code}"),
                (&console.requests, "{region}"),
                (&console.case, "{case}"),
            ];
            for (address, place) in all {
                let Some(address) = address else { continue };
                assert!(address.starts_with("https://"), "{address}");
                assert!(address.contains(place), "{address}");
                let rest = address.replace(place, "").replace("{region}", "");
                assert!(!rest.contains(['{', '}']), "{address}");
            }
        }
    }

    #[test]
    fn whatever_an_incident_is_about_has_a_graph() {
        let places = builtin_places();
        for family in Family::ALL {
            let endpoint = Endpoint::of(family);
            for kind in family.kinds() {
                assert!(
                    places.graph(endpoint, kind.name()).is_some(),
                    "{family} {kind:?}"
                );
            }
            let categories = [
                Category::Throttle,
                Category::ClientError,
                Category::ServerError,
                Category::Latency,
                Category::Anomaly,
                Category::Lifecycle,
                Category::Residency,
            ];
            // What all models share is a quota and nothing else.
            for category in categories.into_iter().filter(|_| family != Family::Account) {
                assert!(
                    places.graph(endpoint, category.name()).is_some(),
                    "{family} {category:?}"
                );
            }
        }
    }
}
