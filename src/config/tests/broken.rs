//! Hundreds of broken files, made from the shipped ones by one mistake each: all are told at their place, with what to do.

use std::{collections::BTreeMap, fmt::Write as _, ops::Range};

use proptest::prelude::*;
use toml::de::{DeTable, DeValue};

use super::super::{
    ConfigError, Fault, Overrides, parse,
    rules::{self, BUILTIN, RuleBook},
};
use super::Folder;

/// A key with its value, where they stand.
struct Spot {
    key: Range<usize>,
    value: Range<usize>,
    kind: Kind,
    path: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Flag,
    List,
    Inline,
}

/// All keys but those of tables with a header.
fn spots(text: &str) -> Vec<Spot> {
    let table = DeTable::parse(text).unwrap();
    let mut found = Vec::new();
    walk(text, table.get_ref(), "", &mut found);
    found
}

fn walk(text: &str, table: &DeTable<'_>, path: &str, found: &mut Vec<Spot>) {
    for (key, value) in table {
        let path = format!("{path}.{}", key.get_ref());
        let kind = match value.get_ref() {
            DeValue::String(_) => Kind::Text,
            DeValue::Integer(_) | DeValue::Float(_) => Kind::Number,
            DeValue::Boolean(_) => Kind::Flag,
            DeValue::Datetime(_) => continue,
            DeValue::Array(items) => {
                for item in items.iter() {
                    if let DeValue::Table(inner) = item.get_ref() {
                        walk(text, inner, &path, found);
                    }
                }
                if items.iter().any(|it| it.get_ref().is_table()) {
                    continue;
                }
                Kind::List
            }
            DeValue::Table(inner) => {
                walk(text, inner, &path, found);
                if !text[value.span()].starts_with('{') {
                    continue;
                }
                Kind::Inline
            }
        };
        found.push(Spot {
            key: key.span(),
            value: value.span(),
            kind,
            path,
        });
    }
}

/// A file with one mistake.
struct Broken {
    what: String,
    text: String,
    /// Line and column of the mistake; none where something is missing.
    at: Option<(usize, usize)>,
    /// What the fault has to name.
    names: Option<String>,
}

fn place(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at];
    let line = before.rfind('\n').map_or(0, |at| at + 1);
    (
        before.matches('\n').count() + 1,
        before[line..].chars().count() + 1,
    )
}

fn with(text: &str, range: &Range<usize>, other: &str) -> String {
    [&text[..range.start], other, &text[range.end..]].concat()
}

/// Every mistake of one kind each at every place.
fn mistakes(text: &str) -> Vec<Broken> {
    let mut all = Vec::new();
    for spot in spots(text) {
        let Spot {
            key,
            value,
            kind,
            path,
        } = &spot;
        let mut put = |what: &str, range: &Range<usize>, other: &str, names: Option<&str>| {
            all.push(Broken {
                what: format!("{what} {path}"),
                text: with(text, range, other),
                at: Some(place(text, range.start)),
                names: names.map(str::to_owned),
            });
        };
        let name = &text[key.clone()];
        if 4 < name.len() {
            let typo = &name[..name.len() - 1];
            put("misspelt", key, typo, Some(name));
        }
        let other = match kind {
            Kind::Text => "true",
            Kind::Number | Kind::List => "\"three of them\"",
            Kind::Flag => "1.5",
            Kind::Inline => "7",
        };
        put("wrong type", value, other, None);
        match kind {
            Kind::Text => put("nonsense", value, "\"five §\"", None),
            Kind::Number => put("negative", value, "-7", None),
            Kind::Flag | Kind::List | Kind::Inline => {}
        }
        let line = text[..key.start].rfind('\n').map_or(0, |at| at + 1);
        let end = text[value.end..]
            .find('\n')
            .map_or(text.len(), |at| value.end + at + 1);
        if line == key.start {
            let twice = [&text[..end], &text[line..end], &text[end..]].concat();
            let (row, _) = place(text, end);
            all.push(Broken {
                what: format!("twice {path}"),
                text: twice,
                at: Some((row, 1)),
                names: None,
            });
            all.push(Broken {
                what: format!("without {path}"),
                text: with(text, &(line..end), ""),
                at: None,
                names: Some(name.to_owned()),
            });
        }
    }
    all
}

/// What is wrong with how the mistake is told; nothing for those that are no mistake.
fn untold(broken: &Broken, faults: &[Fault]) -> Option<String> {
    let mut wrong = String::new();
    for fault in faults {
        let is_placed = fault.file().is_some() && fault.line_and_column().is_some();
        let is_helpful = fault.help_text().is_some_and(|help| !help.is_empty());
        if !is_placed || !is_helpful || fault.message().is_empty() {
            writeln!(wrong, "{}: not placed or no help: {fault}", broken.what).unwrap();
        }
    }
    let is_named = |fault: &Fault| {
        broken.names.as_ref().is_none_or(|name| {
            let help = fault.help_text().unwrap_or_default();
            fault.to_string().contains(name) || help.contains(name)
        })
    };
    let is_there = |fault: &Fault| broken.at.is_none() || fault.line_and_column() == broken.at;
    if !faults.iter().any(|it| is_there(it) && is_named(it)) {
        let told = faults
            .iter()
            .map(|it| format!("{:?} {it}", it.line_and_column()));
        let told: Vec<String> = told.collect();
        writeln!(
            wrong,
            "{}: not told at {:?}: {told:?}",
            broken.what, broken.at
        )
        .unwrap();
    }
    (!wrong.is_empty()).then_some(wrong)
}

/// How many were told, and what was taken although one might think it is a mistake.
fn told(all: &[Broken], read: impl Fn(&str) -> Vec<Fault>) -> (usize, BTreeMap<String, usize>) {
    let (mut count, mut taken, mut wrong) = (0, BTreeMap::new(), String::new());
    for broken in all {
        let faults = read(&broken.text);
        if faults.is_empty() {
            *taken.entry(broken.what.clone()).or_default() += 1;
            continue;
        }
        count += 1;
        wrong.extend(untold(broken, &faults));
    }
    assert!(wrong.is_empty(), "{wrong}");
    (count, taken)
}

#[test]
fn every_mistake_in_a_rule_is_told_at_its_place() {
    let mut all = Vec::new();
    for (_, text) in BUILTIN {
        all.extend(mistakes(text));
    }
    let read = |text: &str| rules::read("rules.toml", text, &mut RuleBook::new());
    let (count, taken) = told(&all, read);
    assert!(500 < count, "only {count} mistakes");
    let taken: Vec<String> = taken.into_keys().collect();
    insta::assert_snapshot!(taken.join("\n"));
}

#[test]
fn every_mistake_in_a_configuration_is_told_at_its_place() {
    let example = include_str!("../../../deploy/example-config.toml");
    // Three files of rules instead of all: those that the example speaks of.
    let folder = Folder::new("broken");
    for (name, text) in BUILTIN {
        let name = name.rsplit('/').next().unwrap();
        if ["tpm-share.toml", "latency.toml", "traffic.toml"].contains(&name) {
            folder.put(name, text.as_bytes());
        }
    }
    let overrides = Overrides {
        rules: Some(folder.0.clone()),
        ..Overrides::default()
    };
    let read = |text: &str| match parse(text, "config.toml", &overrides) {
        Ok(_) => Vec::new(),
        Err(error) => error.faults,
    };
    let faults: Vec<String> = read(example).iter().map(ToString::to_string).collect();
    assert!(faults.is_empty(), "{faults:?}");
    let (count, taken) = told(&mistakes(example), read);
    assert!(100 < count, "only {count} mistakes");
    let taken: Vec<String> = taken.into_keys().collect();
    insta::assert_snapshot!(taken.join("\n"));
}

/// What no single wrong word makes: each with its one fault first.
const BY_HAND: &[&str] = &[
    "[[route]]\nreceiver = \"on-cal\"\n[receiver.on-call]\nkind = \"sns\"\ntopic_arn = \"arn:aws:sns:us-east-1:111122223333:t\"\n",
    "[receiver.a]\nkind = \"slack\"\nurl = \"https://hooks.example.com/secret\"\n",
    "[receiver.a]\nkind = \"slack\"\nurl_file = \"/x\"\nurl = \"credential:x\"\n",
    "[receiver.a]\nkind = \"pigeon\"\n",
    "[receiver.a]\nkind = \"sns\"\ntopic_arn = \"arn:aws:sqs:us-east-1:111122223333:t\"\n",
    "[receiver.a]\nkind = \"sns\"\ntopic_arn = \"arn:aws:sns:us-east-1:111122223333:t\"\nfallback = \"a\"\n",
    "[[account]]\nid = \"1111\"\nregions = [\"us-east-1\"]\n",
    "[[account]]\nid = \"111122223333\"\nregions = []\n",
    "[[account]]\nid = \"111122223333\"\nregions = [\"us-east-1\", \"us-east-1\"]\n",
    "[[account]]\nid = \"111122223333\"\nregions = [\"us_east_1\"]\n",
    "[[account]]\nid = \"111122223333\"\nregions = [\"us-east-1\"]\n[[account]]\nid = \"111122223333\"\nregions = [\"us-west-2\"]\n",
    "[[account]]\nid = \"111122223333\"\nregions = \"all\"\n",
    "[listen]\naddress = \"0.0.0.0:9464\"\n",
    "[listen]\naddress = \"127.0.0.1:99999\"\n",
    "[rule.tpm-share-waring]\nabove = \"85 %\"\n",
    "[rule.tpm-share-warning]\nabove = \"60 %\"\n",
    "[rule.tpm-share-warning]\nabove = \"0 %\"\n",
    "[[event]]\nname = \"Patching\"\nkind = \"maintenance\"\nfrom = \"2026-12-01\"\n",
    "[[event]]\nname = \"Patching\"\nkind = \"maintenance\"\nevery = \"Someday 02:00\"\nlasts = \"2h\"\n",
    "[[override]]\nname = \"x\"\n[override.rule.tpm-share-warning]\nabove = \"90 %\"\n",
    "[cost]\nmonthly_budget = \"50 EUR\"\n",
    "[budget]\nhighest_factor = 0.5\n",
    "[budget]\nrequests_per_day = 4_000_000_000_000\n",
    "[cadence]\nquiet = \"90s\"\n",
    "[rules]\nfolder = \"does-not-exist\"\n",
    "mode = observe\n",
    "mode = \"observe\n",
    "[store\npath = \"x\"\n",
    "mode = \"observe\"\r\nmode = \"file\"\r\n",
    "\u{feff}moode = \"observe\"\n",
    "mode = \"obs\u{0}erve\"\n",
    "store = \"x\"\n",
];

#[test]
fn mistakes_made_by_hand_read_well() {
    let mut report = String::new();
    for text in BY_HAND {
        let Err(error) = parse(text, "config.toml", &Overrides::default()) else {
            report += &format!("TAKEN {text}\n");
            continue;
        };
        writeln!(
            report,
            "{}",
            text.trim_end()
                .escape_debug()
                .to_string()
                .replace("\\n", "\n")
                .replace("\\\"", "\"")
        )
        .unwrap();
        for line in error.lines() {
            writeln!(report, "    {line}").unwrap();
        }
    }
    assert!(!report.contains("TAKEN"), "{report}");
    insta::assert_snapshot!(report);
}

/// As deep as anybody can nest, and longer than anybody writes.
#[test]
fn bombs_are_refused_at_once() {
    let deep = format!("mode = {}1{}", "[".repeat(5_000), "]".repeat(5_000));
    let wide = "x".repeat(200_000);
    let many = (0..2_000)
        .map(|it| format!("key{it} = 1\n"))
        .collect::<String>();
    for text in [
        deep,
        format!("{wide} = 1"),
        format!("mode = \"{wide}\""),
        many,
    ] {
        let error = parse(&text, "config.toml", &Overrides::default()).unwrap_err();
        assert!(!error.faults().is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever is written over the shipped rules, it is read or told, at a place that is in the file.
    #[test]
    fn whatever_stands_in_a_rule_file_is_read_or_told(
        file in 0..BUILTIN.len(),
        at in any::<prop::sample::Index>(),
        length in 0_usize..40,
        other in "\\PC{0,20}|[\\[\\]{}=\"'#\n, 0-9a-z%._-]{0,30}",
    ) {
        let (_, text) = BUILTIN[file];
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let first = at.index(places.len());
        let last = places.get(first + length).copied().unwrap_or(text.len());
        let text = with(text, &(places[first]..last), &other);
        let lines = text.split('\n').count();
        for fault in rules::read("rules.toml", &text, &mut RuleBook::new()) {
            let (line, column) = fault.line_and_column().unwrap();
            prop_assert!(line <= lines, "{} of {lines} lines: {fault}", line);
            let width = text.split('\n').nth(line - 1).unwrap().chars().count();
            prop_assert!(column <= width + 1, "column {column} of {width}: {fault}");
            let is_helpful = fault.help_text().is_some();
            prop_assert!(is_helpful, "{}", fault);
        }
    }
}

/// A thousand rules with a mistake in each: fifty are drawn, and each of the others has its place in a line.
#[test]
fn many_faults_are_all_told_and_the_first_of_them_drawn() {
    let mut text = String::new();
    for number in 0..1_000 {
        let name = format!("rule-{number}");
        writeln!(text, "[[rule]]\nname = \"{name}\"\nseverity = \"loud\"").unwrap();
    }
    let faults = rules::read("a.toml", &text, &mut RuleBook::default());
    let all = faults.len();
    assert!(1_000 <= all, "{all}");
    let error = ConfigError::of(faults).unwrap();
    assert!(error.to_string().contains(&format!("{all} faults")));
    let drawn = super::report(&error);
    assert_eq!(drawn.matches("╭─[a.toml:").count(), 50);
    let undrawn = error.undrawn();
    assert_eq!(undrawn.len(), all - 50);
    let is_placed = |line: &String| line.starts_with("a.toml:") && line.contains(": ");
    assert!(undrawn.iter().all(is_placed));
    assert!(
        undrawn.last().unwrap().starts_with("a.toml:3000:")
            || undrawn.last().unwrap().starts_with("a.toml:2998:"),
        "{undrawn:?}"
    );
}
