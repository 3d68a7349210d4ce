use super::*;

fn envelope(pressed: &Value) -> Value {
    json!({
        "type": "interactive",
        "envelope_id": "e-1",
        "payload": {
            "type": "block_actions",
            "user": { "id": "U0123ABCDEF", "username": "sam\u{202e}", "team_id": "T1" },
            "channel": { "id": "C0123456789" },
            "response_url": "https://hooks.slack.com/actions/T1/2/3",
            "actions": [pressed],
        },
    })
}

fn read_json(json: &Value) -> Result<Envelope, String> {
    read(&json.to_string())
}

#[test]
fn each_button_is_the_order_that_its_label_says() {
    let pressed = |action: &str| {
        let press = read_json(&envelope(&json!({ "action_id": action, "value": "x-1" })));
        match press {
            Ok(Envelope::Press(press)) => press.pressed,
            other => panic!("{other:?}"),
        }
    };
    let (incident, action) = (IncidentId::new("x-1"), ActionId::new("x-1"));
    let (value, minutes) = (None, None);
    assert_eq!(
        pressed("boa-ack"),
        Pressed::Ours(look_after(incident.clone(), minutes))
    );
    assert_eq!(
        pressed("boa-snooze"),
        Pressed::Ours(look_after(incident, Some(240)))
    );
    let approve = Command::Approve {
        action: action.clone(),
        value,
    };
    assert_eq!(pressed("boa-approve"), Pressed::Decision(approve));
    assert_eq!(
        pressed("boa-reject"),
        Pressed::Decision(Command::Reject { action })
    );
    assert_eq!(
        pressed("boa-stop-writes"),
        Pressed::Decision(Command::StopWrites)
    );
    assert_eq!(pressed("other"), Pressed::Unknown("other".to_owned()));
}

#[test]
fn who_pressed_is_shown_with_nothing_that_acts() {
    let json = envelope(&json!({ "action_id": "boa-ack", "value": "inc-1" }));
    let Ok(Envelope::Press(press)) = read_json(&json) else {
        panic!("no press");
    };
    assert_eq!(press.by(), "sam<U+202E> (U0123ABCDEF in Slack)");
    let mut nameless = json;
    nameless["payload"]["user"] = json!({ "id": "U0123ABCDEF" });
    let Ok(Envelope::Press(press)) = read_json(&nameless) else {
        panic!("no press");
    };
    assert_eq!(press.by(), "U0123ABCDEF in Slack");
}

#[test]
fn what_is_no_press_is_what_it_says_or_said_to_be_wrong() {
    assert_eq!(read_json(&json!({ "type": "hello" })), Ok(Envelope::Hello));
    for reason in ["warning", "refresh_requested", "link_disabled"] {
        let goodbye = json!({ "type": "disconnect", "reason": reason });
        assert_eq!(read_json(&goodbye), Ok(Envelope::Goodbye));
    }
    let slash = json!({ "type": "slash_commands", "envelope_id": "e-2", "payload": {} });
    let other = Envelope::Other(Some("e-2".to_owned()));
    assert_eq!(read_json(&slash), Ok(other));
    assert_eq!(
        read_json(&json!({ "type": "news" })),
        Ok(Envelope::Other(None))
    );
    assert_eq!(read("{}"), Err("it has no `type`".to_owned()));
    assert!(read("<html>").unwrap_err().starts_with("it is not JSON"));
    let mut nobody = envelope(&json!({ "action_id": "boa-ack", "value": "inc-1" }));
    nobody["payload"]["user"] = json!(null);
    assert_eq!(
        read_json(&nobody),
        Err("a press without the id of a user".to_owned())
    );
}
