use std::{fs, path::PathBuf, process};

use super::*;

fn store(name: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tmp");
    fs::create_dir_all(&target).unwrap();
    target.join(format!("switch-{name}-{}", process::id()))
}

#[test]
fn it_holds_at_once_and_survives_whoever_set_it() {
    let store = store("set");
    let switch = Switch::beside(&store);
    assert_eq!(switch.stop(), None);
    switch
        .set("Kim", "2026-03-02T12:00:00Z", "a wrong quota")
        .unwrap();
    let stop = Switch::beside(&store).stop().unwrap();
    assert_eq!(
        stop.to_string(),
        "writes at AWS are stopped by Kim since 2026-03-02T12:00:00Z: a wrong quota"
    );
    switch.clear().unwrap();
    assert_eq!(switch.stop(), None);
    assert!(switch.clear().unwrap_err().contains("remove it by hand"));
}

#[test]
fn a_file_made_by_hand_counts_and_so_does_one_that_can_not_be_read() {
    let store = store("hand");
    let place = PathBuf::from(format!("{}{SUFFIX}", store.display()));
    fs::write(&place, "").unwrap();
    let switch = Switch::beside(&store);
    let told = switch.stop().unwrap().to_string();
    assert!(told.contains("stopped by the file"), "{told}");
    fs::write(&place, "ask Kim\nsecond line").unwrap();
    assert!(switch.stop().unwrap().to_string().ends_with(": ask Kim"));
    fs::remove_file(&place).unwrap();
    fs::create_dir(&place).unwrap(); // a folder is no file: reading it fails
    assert!(switch.stop().is_some());
    fs::remove_dir(&place).unwrap();
    assert_eq!(Switch::default().stop(), None);
    assert!(Switch::default().set("Kim", "now", "why").is_err());
}
