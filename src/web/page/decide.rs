//! The page on which a person decides about one thing. It stays still: what is typed here must not be lost to a new cycle.

use maud::{DOCTYPE, Markup, html};

use super::elements::when;
use crate::web::{
    decide::{Deciding, Fault, PERIODS, Typed},
    inert::inert,
    json::{Action, IncidentBrief, Silence, Status},
    view::decide::{Choice, Matter},
    words::{age, said},
};

/// What there is to say of a form that came.
#[derive(Debug, Default)]
pub(in crate::web) struct Told {
    /// What it came to, or why nothing was done.
    pub(in crate::web) outcome: Option<Result<String, String>>,
    /// What is wrong with it, and what it said.
    pub(in crate::web) faults: Vec<Fault>,
    pub(in crate::web) typed: Typed,
}

/// All that the page is made from.
pub(in crate::web) struct Shown<'a> {
    pub(in crate::web) status: &'a Status,
    pub(in crate::web) id: &'a str,
    pub(in crate::web) matter: &'a Matter,
    pub(in crate::web) deciding: &'a Deciding,
    pub(in crate::web) proved_name: Option<&'a str>,
    pub(in crate::web) given_name: &'a str,
    /// A new seal, one for each form.
    pub(in crate::web) seal: &'a dyn Fn() -> String,
    pub(in crate::web) told: &'a Told,
}

/// The whole page.
pub(in crate::web) fn render(it: &Shown<'_>) -> Markup {
    let title = match it.matter {
        Matter::Action(choice) => inert(&choice.action.what),
        Matter::Incident(brief, _) => inert(&brief.title),
        Matter::Silence(silence) => format!("Silence: {}", inert(&silence.matches)),
        Matter::Writes => "Writes at AWS".to_owned(),
    };
    let body = html! {
        section.verdict aria-labelledby="matter" {
            h1 id="matter" { (title) }
            (outcome(it.told))
            @match it.matter {
                Matter::Action(choice) => (action_facts(&choice.action)),
                Matter::Incident(brief, _) => (incident_facts(brief)),
                Matter::Silence(silence) => (silence_facts(silence)),
                Matter::Writes => (writes_facts(it.status)),
            }
        }
        @match it.matter {
            Matter::Action(choice) => (action(it, choice)),
            Matter::Incident(brief, selector) => (incident(it, brief, selector.is_some())),
            Matter::Silence(silence) => (silence_form(it, silence)),
            Matter::Writes => (writes(it)),
        }
    };
    let word = match (&it.told.outcome, it.told.faults.is_empty()) {
        (Some(Ok(_)), _) => "Done: ",
        (Some(Err(_)), _) | (None, false) => "Not done: ",
        (None, true) => "",
    };
    whole(it.status, &format!("{word}{title}"), &body)
}

/// A page that says why not.
pub(in crate::web) fn refusal(status: &Status, why: &str) -> Markup {
    let body = html! {
        section.verdict aria-labelledby="matter" {
            h1 id="matter" { "Nothing was decided" }
            p.trouble role="alert" { (inert(why)) }
        }
    };
    whole(status, "Nothing was decided", &body)
}

fn whole(status: &Status, title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            (super::head(title, status.is_simulated, true))
            body class={ "level-" (status.verdict.level.name()) } {
                (super::masthead(status))
                main id="main" { (body) }
                footer { p { a href="/" { "Status" } } }
            }
        }
    }
}

fn outcome(told: &Told) -> Markup {
    html! {
        @match &told.outcome {
            Some(Ok(what)) => p.done role="status" { strong { "Done: " } (inert(what)) "." },
            Some(Err(why)) => p.trouble role="alert" { strong { "Not done: " } (inert(why)) "." },
            None => {}
        }
        @if !told.faults.is_empty() {
            p.trouble role="alert" {
                strong { "Nothing was decided. " }
                @for (field, why) in &told.faults { @if field.is_empty() { (inert(why)) "." } }
                @if told.faults.iter().any(|(field, _)| !field.is_empty()) { "See what is marked below." }
            }
        }
    }
}

fn action_facts(action: &Action) -> Markup {
    html! {
        p { (inert(&action.detail)) }
        p.sub {
            @if let Some(seconds) = action.age_seconds { "proposed " (age(seconds)) " ago" }
            @if let Some(expires) = &action.expires { ", expires " (when(expires)) }
            " · " code { (inert(&action.id)) } " · "
            a href={ "/decide/" (inert(&action.incident)) } { "its incident" }
        }
    }
}

fn incident_facts(brief: &IncidentBrief) -> Markup {
    html! {
        p.sub {
            (brief.severity) ", "
            @match &brief.resolved {
                Some(at) => { "ended " (when(at)) }
                None => { @if let Some(seconds) = brief.age_seconds { "open for " (age(seconds)) } }
            }
            ", bad from " (when(&brief.began)) " to " (when(&brief.last_bad)) " · " code { (inert(&brief.id)) }
        }
        @for line in said(brief) { p.sub { (inert(&line)) } }
        (lines(&brief.reasons))
    }
}

fn silence_facts(silence: &Silence) -> Markup {
    html! {
        p { (silence.state) " · " (when(&silence.from)) " to " (when(&silence.until)) }
        p.sub { (inert(&silence.by)) ": " (inert(&silence.reason)) " · " code { (inert(&silence.id)) } }
    }
}

fn writes_facts(status: &Status) -> Markup {
    html! {
        @match &status.writes_stopped {
            Some(stop) => p.trouble { (inert(stop)) ". Messages go on." },
            None => p { "Nothing is stopped: what may be filed is filed, as the mode " strong { (status.mode) } " says." },
        }
    }
}

fn lines(all: &[String]) -> Markup {
    html! { @if !all.is_empty() { ul { @for line in all { li { (inert(line)) } } } } }
}

/// The arithmetic, the words, and below them the choice.
fn action(it: &Shown<'_>, choice: &Choice) -> Markup {
    let action = &choice.action;
    html! {
        @if !action.reasons.is_empty() {
            section aria-labelledby="why" { h2 id="why" { "Why, and how much" } (lines(&action.reasons)) }
        }
        @if let Some(text) = action.text.as_deref().filter(|it| !it.is_empty()) {
            section aria-labelledby="words" {
                h2 id="words" { "What AWS reads" }
                // Each line by itself: a line break that is shown as one can't be forged then.
                pre.words { @for line in text.lines() { (inert(line)) "\n" } }
            }
        }
        @if choice.waits { (ruling(it, choice)) }
    }
}

fn ruling(it: &Shown<'_>, choice: &Choice) -> Markup {
    let id = inert(&choice.action.id);
    let commands = [
        format!("approve {id}"),
        format!("reject {id} --reason TEXT"),
    ];
    decide(
        it,
        &commands,
        html! {
            @match &choice.blocked {
                Some(why) => p.trouble { strong { "Not to be approved now: " } (inert(why)) "." },
                None => (form(it, "approve", "Approve", "Approve", &html! {
                    input type="hidden" name="seen" value=(choice.seen);
                    @if let Some((desired, bounds)) = &choice.asks {
                        @let hint = match bounds {
                            Ok((floor, ceiling)) => format!("worked out: {desired}; another must be above {floor} and at most {ceiling}"),
                            Err(_) => format!("worked out: {desired}; it can't be another"),
                        };
                        (field(it, ("approve", "value"), ("Value to ask for", Some(&hint)), &desired.to_string(), true))
                    }
                    (name(it, "approve"))
                    (field(it, ("approve", "reason"), ("Reason, if there is one", None), "", false))
                })),
            }
            (form(it, "reject", "Reject", "Reject", &html! {
                (name(it, "reject"))
                (field(it, ("reject", "reason"), ("Reason", None), "", true))
            }))
        },
    )
}

fn incident(it: &Shown<'_>, brief: &IncidentBrief, is_silenced_alone: bool) -> Markup {
    if brief.resolved.is_some() {
        return html! {};
    }
    let id = inert(&brief.id);
    let commands = [
        format!("ack {id}"),
        format!("snooze {id} --for 4h"),
        "silence add --help".to_owned(),
    ];
    decide(
        it,
        &commands,
        html! {
            (form(it, "ack", "I look after it", "Acknowledge", &html! {
                p.sub { "Reminders stop until it gets worse." }
                (name(it, "ack"))
                (field(it, ("ack", "reason"), ("Note, if there is one", None), "", false))
            }))
            (form(it, "snooze", "Later", "Snooze", &html! {
                p.sub { "The same for a while: it is told again after that." }
                (period(it, "snooze"))
                (name(it, "snooze"))
                (field(it, ("snooze", "reason"), ("Note, if there is one", None), "", false))
            }))
            @if is_silenced_alone {
                (form(it, "silence", "Let nobody hear of it", "Silence", &html! {
                    p.sub { "Messages of this category about its pools are held back, those of new incidents, too." }
                    (period(it, "silence"))
                    (name(it, "silence"))
                    (field(it, ("silence", "reason"), ("Reason", None), "", true))
                    p { label { input type="checkbox" name="hold" value="yes"; " Ask nothing of AWS either" } }
                }))
            }
        },
    )
}

fn silence_form(it: &Shown<'_>, silence: &Silence) -> Markup {
    if silence.state == "ended" {
        return html! {};
    }
    let commands = [format!("silence expire {}", inert(&silence.id))];
    decide(
        it,
        &commands,
        form(
            it,
            "expire",
            "End it now",
            "End",
            &html! {
                (name(it, "expire"))
                (field(it, ("expire", "reason"), ("Reason, if there is one", None), "", false))
            },
        ),
    )
}

fn writes(it: &Shown<'_>) -> Markup {
    if it.status.writes_stopped.is_some() {
        let commands = ["resume-writes".to_owned()];
        return decide(
            it,
            &commands,
            form(
                it,
                "resume",
                "Let writes go on",
                "Resume",
                &html! {
                    p.sub { "What was planned meanwhile, and still holds, is filed then." }
                    (name(it, "resume"))
                    (field(it, ("resume", "reason"), ("Reason, if there is one", None), "", false))
                },
            ),
        );
    }
    let commands = ["stop-writes --reason TEXT".to_owned()];
    decide(
        it,
        &commands,
        form(
            it,
            "stop",
            "Stop all writes",
            "Stop",
            &html! {
                p.sub { "No quota request, case or comment leaves until somebody resumes. Messages go on." }
                (name(it, "stop"))
                (field(it, ("stop", "reason"), ("Reason", None), "", true))
            },
        ),
    )
}

/// Forms for who may decide here, and for others how they get to decide.
fn decide(it: &Shown<'_>, commands: &[String], forms: Markup) -> Markup {
    html! {
        section aria-labelledby="decide" {
            h2 id="decide" { "Decide" }
            @match it.deciding {
                Deciding::Here => { div.choices { (forms) } }
                Deciding::NotYou(how) => { p { (inert(how)) "." } (by_command(commands)) }
                Deciding::ByCommand => (by_command(commands)),
            }
        }
    }
}

fn by_command(commands: &[String]) -> Markup {
    html! { @for command in commands { p.command { code { "bedrock-ops-alert " (command) } } } }
}

fn form(it: &Shown<'_>, verb: &str, title: &str, button: &str, fields: &Markup) -> Markup {
    html! {
        form.card method="post" action={ "/decide/" (inert(it.id)) } aria-labelledby={ (verb) "-title" } autocomplete="off" {
            h3 id={ (verb) "-title" } { (title) }
            input type="hidden" name="seal" value=((it.seal)());
            input type="hidden" name="verb" value=(verb);
            (fields)
            button type="submit" { (button) }
        }
    }
}

/// Who decides: known already, or to be typed.
fn name(it: &Shown<'_>, verb: &'static str) -> Markup {
    match it.proved_name {
        Some(name) => html! { p.sub { "as " (inert(name)) } },
        None => field(
            it,
            (verb, "by"),
            ("Your name", Some("it goes into the audit trail")),
            it.given_name,
            true,
        ),
    }
}

/// A line of text, with what is wrong with it where something is.
fn field(
    it: &Shown<'_>,
    (verb, name): (&'static str, &'static str),
    (label, hint): (&str, Option<&str>),
    value: &str,
    is_needed: bool,
) -> Markup {
    let typed = &it.told.typed;
    let is_typed = typed.verb == verb;
    let value = match (is_typed, name) {
        (true, "value") => &typed.value,
        (true, "by") => &typed.by,
        (true, _) => &typed.reason,
        (false, _) => value,
    };
    let fault = fault(it, verb, name);
    let id = format!("{verb}-{name}");
    html! {
        p.field {
            label for=(id) { (label) }
            input type="text" id=(id) name=(name) value=(inert(value)) required[is_needed]
                inputmode=[(name == "value").then_some("numeric")]
                aria-invalid=[fault.map(|_| "true")]
                aria-describedby=[(hint.is_some() || fault.is_some()).then(|| format!("{id}-hint"))];
            @if hint.is_some() || fault.is_some() {
                span.sub id={ (id) "-hint" } {
                    @if let Some(why) = fault { strong.trouble { (inert(why)) } " " }
                    @if let Some(hint) = hint { (hint) }
                }
            }
        }
    }
}

fn period(it: &Shown<'_>, verb: &'static str) -> Markup {
    let fault = fault(it, verb, "minutes");
    let typed = &it.told.typed;
    let chosen = if typed.verb == verb {
        typed.minutes.as_str()
    } else {
        "240"
    };
    let id = format!("{verb}-minutes");
    html! {
        p.field {
            label for=(id) { "For" }
            select id=(id) name="minutes" aria-invalid=[fault.map(|_| "true")] aria-describedby=[fault.map(|_| format!("{id}-hint"))] {
                @for (minutes, text) in PERIODS {
                    option value=(minutes) selected[minutes.to_string() == chosen] { (text) }
                }
            }
            @if let Some(why) = fault { span.sub id={ (id) "-hint" } { strong.trouble { (inert(why)) } } }
        }
    }
}

fn fault<'a>(it: &'a Shown<'_>, verb: &str, name: &str) -> Option<&'a str> {
    let of_form = it.told.faults.iter().filter(|_| it.told.typed.verb == verb);
    let mut here = of_form.filter(|(field, _)| *field == name);
    here.next().map(|(_, why)| why.as_str())
}
