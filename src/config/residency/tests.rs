use super::*;
use crate::{
    config::{Overrides, parse},
    model::{ids::Region, residency::Reach},
};

fn rules(text: &str) -> Result<Vec<Residency>, Vec<String>> {
    match parse(text, "config.toml", &Overrides::default()) {
        Ok(settings) => Ok(settings.policy.residency),
        Err(error) => {
            let faults = error.faults().iter();
            Err(faults.map(|it| format!("{it} / {:?}", it.key())).collect())
        }
    }
}

fn reach(regions: &[&str], is_anywhere: bool) -> Reach {
    Reach {
        regions: regions.iter().map(|it| Region::new(*it)).collect(),
        is_anywhere,
    }
}

/// London and Zurich are in no list of EU Regions, whatever their names begin with.
#[test]
fn the_eu_is_its_own_regions_and_what_is_added_by_name() {
    let text = "[[residency]]\nname = \"eu-data\"\nallow = [\"eu\"]\n\
                [[residency]]\nname = \"with-london\"\nallow = [\"eu\", \"eu-west-2\"]\n\
                [[residency]]\nname = \"by-pattern\"\nallow = [\"eu-*\"]\n\
                [[residency]]\nname = \"open\"\nallow = [\"global\"]\n";
    let rules = rules(text).unwrap();
    let allowed = |reach: &Reach| {
        let each = rules.iter().filter(|it| it.allows(reach));
        let names = each.map(|it| it.name.as_str().trim_start_matches("residency-").to_owned());
        names.collect::<Vec<_>>()
    };
    let from_paris = reach(&["eu-west-3", "eu-central-1", "eu-south-2"], false);
    let from_london = reach(&["eu-west-2", "eu-central-1", "eu-west-1"], false);
    let from_zurich = reach(&["eu-central-2", "eu-central-1"], false);
    let global = reach(&["eu-west-1"], true);
    assert_eq!(
        allowed(&from_paris),
        ["eu-data", "with-london", "by-pattern", "open"]
    );
    assert_eq!(allowed(&from_london), ["with-london", "by-pattern", "open"]);
    assert_eq!(allowed(&from_zurich), ["by-pattern", "open"]);
    assert_eq!(allowed(&global), ["open"]);
}

#[test]
fn every_geography_names_regions_that_are_some() {
    let known = geographies();
    assert!(8 < known.len());
    let all: Vec<&String> = known.iter().flat_map(|it| &it.regions).collect();
    for region in &all {
        assert!(values::region(region).is_ok(), "{region}");
    }
    let apart: BTreeSet<&&String> = all.iter().collect();
    assert_eq!(apart.len(), all.len(), "no Region is in two of them");
    assert!(GEOGRAPHIES.contains("Source of all rows: "));
}

#[test]
fn all_faults_come_at_once() {
    let text = "[[residency]]\nname = \"a\"\nallow = [\"ue\"]\nregions = [\"eu-west-1\"]\n\
                [[residency]]\nname = \"a\"\nallow = []\n\
                [[residency]]\nname = \"b\"\nseverity = \"loud\"\ntags = {}\n";
    let faults = rules(text).unwrap_err();
    insta::assert_snapshot!(faults.join("\n"));
}
