//! What people say to the running service: rulings, silences, acknowledgements.

use clap::{ArgGroup, Args, Subcommand};

use super::{ReadArgs, minutes};
use crate::web::json::{Acknowledging, Asking, Ruling, Silencing};

/// Who says so.
#[derive(Debug, Args)]
pub(in crate::cli) struct ByArgs {
    /// Who decides; written down with the decision.
    #[arg(long, env = "USER", default_value = "unnamed", value_name = "NAME")]
    pub(in crate::cli) by: String,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ApproveArgs {
    /// The proposal, `act-…`.
    pub(in crate::cli) action: String,
    #[command(flatten)]
    who: ByArgs,
    /// Why; written down with the decision.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Ask for this value instead: above the applied one, and within the bounds of [budget].
    #[arg(long, value_name = "NUMBER")]
    value: Option<f64>,
    #[command(flatten)]
    pub(in crate::cli) read: ReadArgs,
}

impl ApproveArgs {
    pub(in crate::cli) fn ruling(&self) -> Ruling {
        Ruling {
            by: self.who.by.clone(),
            reason: self.reason.clone(),
            value: self.value,
        }
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct PlanArgs {
    /// The pool, `account/region/family/model` as `status` shows it, or a way out that nobody uses.
    pub(in crate::cli) pool: String,
    /// Also what AWS would read.
    #[arg(long)]
    pub(in crate::cli) words: bool,
    #[command(flatten)]
    pub(in crate::cli) read: ReadArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct AskArgs {
    /// The pool, `account/region/family/model` as `status` shows it, or a way out that nobody uses.
    pool: String,
    /// The value to ask for.
    #[arg(value_name = "NUMBER")]
    value: f64,
    /// Which of its quotas.
    #[arg(long, value_name = "KIND", default_value = "tpm", value_parser = ["tpm", "rpm", "tpd", "input_tpm", "output_tpm"])]
    quota: String,
    #[command(flatten)]
    who: ByArgs,
    /// Why. AWS reads it, and everybody who is told.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    pub(in crate::cli) read: ReadArgs,
}

impl AskArgs {
    pub(in crate::cli) fn asking(&self) -> Asking {
        Asking {
            by: self.who.by.clone(),
            reason: self.reason.clone(),
            pool: self.pool.clone(),
            quota: self.quota.clone(),
            value: self.value,
        }
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RejectArgs {
    /// The proposal, `act-…`.
    pub(in crate::cli) action: String,
    #[command(flatten)]
    who: ByArgs,
    /// Why; written down with the decision, and told.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) read: ReadArgs,
}

impl RejectArgs {
    pub(in crate::cli) fn ruling(&self) -> Ruling {
        Ruling {
            by: self.who.by.clone(),
            reason: self.reason.clone(),
            value: None,
        }
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct AckArgs {
    /// The incident, `inc-…`.
    pub(in crate::cli) incident: String,
    #[command(flatten)]
    who: ByArgs,
    /// What others should know.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) read: ReadArgs,
}

impl AckArgs {
    pub(in crate::cli) fn saying(&self) -> Acknowledging {
        Acknowledging {
            by: self.who.by.clone(),
            reason: self.note.clone(),
            minutes: None,
        }
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct SnoozeArgs {
    #[command(flatten)]
    pub(in crate::cli) ack: AckArgs,
    /// For how long, such as `90m`, `2h` or `1d`.
    #[arg(long = "for", value_name = "TIME", value_parser = minutes)]
    lasting: i64,
}

impl SnoozeArgs {
    pub(in crate::cli) fn saying(&self) -> Acknowledging {
        Acknowledging {
            minutes: Some(self.lasting),
            ..self.ack.saying()
        }
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct StopArgs {
    #[command(flatten)]
    who: ByArgs,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    pub(in crate::cli) read: ReadArgs,
}

impl StopArgs {
    pub(in crate::cli) fn saying(&self) -> Acknowledging {
        Acknowledging {
            by: self.who.by.clone(),
            reason: Some(self.reason.clone()),
            minutes: None,
        }
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ResumeArgs {
    #[command(flatten)]
    who: ByArgs,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) read: ReadArgs,
}

impl ResumeArgs {
    pub(in crate::cli) fn saying(&self) -> Acknowledging {
        Acknowledging {
            by: self.who.by.clone(),
            reason: self.reason.clone(),
            minutes: None,
        }
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct AuditArgs {
    /// An incident with its actions, one action or one silence; all without it.
    pub(in crate::cli) subject: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) read: ReadArgs,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum SilenceCommand {
    /// Hold messages back for a while.
    ///
    /// What fits is still judged, opened and shown. When the silence ends, what is still open is told once, with what
    /// happened meanwhile. For instance `silence add --model '*sonnet*' --category throttle --for 2h --reason "load test"`.
    Add(Box<SilenceAddArgs>),
    /// Show the silences: those that hold now, those to come, and those that ended in the last 30 days.
    List(ReadArgs),
    /// End a silence now.
    Expire(ExpireArgs),
}

/// All that is given must fit; of each option that is given several times, one.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).multiple(true))]
#[command(group = ArgGroup::new("end").required(true))]
pub(in crate::cli) struct SilenceAddArgs {
    /// A rule, `*` for any characters.
    #[arg(long, group = "what", value_name = "RULE")]
    rule: Vec<String>,
    /// A category of incidents: quota, throttle, client-error, server-error, latency, anomaly, lifecycle.
    #[arg(long, group = "what", value_name = "CATEGORY")]
    category: Vec<String>,
    /// An account id.
    #[arg(long, group = "what", value_name = "ID")]
    account: Vec<String>,
    /// A Region, with `*`.
    #[arg(long, group = "what", value_name = "REGION")]
    region: Vec<String>,
    /// A family: on-demand, geo, global, mantle.
    #[arg(long, group = "what", value_name = "FAMILY")]
    family: Vec<String>,
    /// A base model, with `*`.
    #[arg(long, group = "what", value_name = "MODEL")]
    model: Vec<String>,
    /// A pool, `account/region/family/model`, with `*`.
    #[arg(long, group = "what", value_name = "POOL")]
    pool: Vec<String>,
    /// For how long, such as `90m`, `2h` or `7d`.
    #[arg(long = "for", group = "end", value_name = "TIME", value_parser = minutes)]
    lasting: Option<i64>,
    /// Until when, such as `2026-11-26T18:00:00Z`.
    #[arg(long, group = "end", value_name = "INSTANT")]
    until: Option<String>,
    /// From when; at once without it.
    #[arg(long, value_name = "INSTANT")]
    from: Option<String>,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Ask nothing of AWS for it either. Without this a silence stops no quota request.
    #[arg(long)]
    hold_requests: bool,
    #[command(flatten)]
    who: ByArgs,
    #[command(flatten)]
    pub(in crate::cli) read: ReadArgs,
}

impl SilenceAddArgs {
    pub(in crate::cli) fn silencing(&self) -> Silencing {
        Silencing {
            by: self.who.by.clone(),
            reason: self.reason.clone(),
            minutes: self.lasting,
            until: self.until.clone(),
            from: self.from.clone(),
            rules: self.rule.clone(),
            categories: self.category.clone(),
            accounts: self.account.clone(),
            regions: self.region.clone(),
            families: self.family.clone(),
            models: self.model.clone(),
            pools: self.pool.clone(),
            hold_requests: self.hold_requests,
        }
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ExpireArgs {
    /// The silence, `sil-…`.
    pub(in crate::cli) silence: String,
    #[command(flatten)]
    who: ByArgs,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) read: ReadArgs,
}

impl ExpireArgs {
    pub(in crate::cli) fn saying(&self) -> Acknowledging {
        Acknowledging {
            by: self.who.by.clone(),
            reason: self.reason.clone(),
            minutes: None,
        }
    }
}
