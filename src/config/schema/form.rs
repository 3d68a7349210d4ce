//! Texts with a form. The readers in `values` have the last word; a pattern is what an editor can see of it.

/// A text of a certain form.
#[derive(Debug)]
pub(super) struct Form {
    /// ECMA 262.
    pub(super) pattern: &'static str,
    /// The first one is what a document made of the schema says.
    pub(super) examples: &'static [&'static str],
}

/// Anything that is not empty.
pub(super) const WORDS: Form = Form {
    pattern: r"\S",
    examples: &["in your own words"],
};
/// One line.
pub(super) const LINE: Form = Form {
    pattern: r"^[^\n]*\S[^\n]*$",
    examples: &["What it usually means, and what to look at first."],
};
/// See `values::minutes`.
pub(super) const MINUTES: Form = Form {
    pattern: r"^\s*[0-9.]+\s*(s|sec|seconds?|m|mins?|minutes?|h|hours?|d|days?|w|weeks?)\s*$",
    examples: &["5m", "24h", "7 days"],
};
/// See `values::millis`.
pub(super) const MILLIS: Form = Form {
    pattern: r"^\s*[0-9.]+\s*(ms|millis|milliseconds?|s|sec|seconds?|m|mins?|minutes?|h|hours?)\s*$",
    examples: &["800 ms", "30 s"],
};
/// See `values::share`.
pub(super) const SHARE: Form = Form {
    pattern: r"^\s*[0-9.]+\s*%\s*$",
    examples: &["80 %", "0.5 %"],
};
/// See `values::bytes`.
pub(super) const BYTES: Form = Form {
    pattern: r"^\s*[0-9.]+\s*[KMGT]i?B\s*$",
    examples: &["64 MB", "1.5 GB"],
};
/// See `values::usd`.
pub(super) const USD: Form = Form {
    pattern: r"^\s*(\$\s*[0-9.]+|[0-9.]+\s*USD)\s*$",
    examples: &["50 USD"],
};
/// See `prices::token_price`.
pub(super) const TOKEN_PRICE: Form = Form {
    pattern: USD.pattern,
    examples: &["3 USD"],
};
/// See `values::window`.
pub(super) const WINDOW: Form = Form {
    pattern: r"^\s*[0-9]+\s+of\s+[0-9]+\s*$",
    examples: &["3 of 5"],
};
/// See `values::account`.
pub(super) const ACCOUNT: Form = Form {
    pattern: r"^[0-9]{12}$",
    examples: &["111122223333"],
};
/// See `values::region`.
pub(super) const REGION: Form = Form {
    pattern: r"^[a-z]{2,3}(-[a-z]+){1,2}-[0-9]{1,2}$",
    examples: &["us-east-1", "eu-central-1"],
};
/// A geography, a Region, or a pattern of Regions.
pub(super) const PLACE: Form = Form {
    pattern: r"^[a-z0-9*-]+$",
    examples: &["eu", "eu-west-2"],
};
/// A Region, or a pattern of such.
pub(super) const REGIONS: Form = Form {
    pattern: r"^[a-z0-9*-]+$",
    examples: &["eu-*", "us-east-1"],
};
/// See `values::role_arn`.
pub(super) const ROLE: Form = Form {
    pattern: r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/.+$",
    examples: &["arn:aws:iam::111122223333:role/bedrock-ops-alert"],
};
/// See `values::log_group`.
pub(super) const LOG_GROUP: Form = Form {
    pattern: r"^[A-Za-z0-9._/#-]{1,512}$",
    examples: &["/aws/bedrock/invocations"],
};
/// See `values::principal_arn`.
pub(super) const CALLER: Form = Form {
    pattern: r"^arn:aws[a-z-]*:iam::[0-9]{12}:(role|user|group)/.+$",
    examples: &["arn:aws:iam::111122223333:role/app"],
};
/// See `values::topic_arn`.
pub(super) const TOPIC: Form = Form {
    pattern: r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_.-]+$",
    examples: &["arn:aws:sns:us-east-1:111122223333:on-call"],
};
/// See `values::address`.
pub(super) const LOOPBACK: Form = Form {
    pattern: r"^(127\.[0-9.]+|\[::1\]):[0-9]{1,5}$",
    examples: &["127.0.0.1:9464"],
};
/// The same, where a token is asked for.
pub(super) const SOCKET: Form = Form {
    pattern: r"^([0-9.]+|\[[0-9a-fA-F:.]+\]):[0-9]{1,5}$",
    examples: &["127.0.0.1:9464"],
};
/// See `values::host`.
pub(super) const HOST: Form = Form {
    pattern: r"^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$",
    examples: &["monitor.internal.example"],
};
/// See `values::page_url`.
pub(super) const PAGE: Form = Form {
    pattern: r"^https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~%/:-]*)?$",
    examples: &["https://monitor.internal.example"],
};
/// See `load_balancer` in `settings/listen/alb.rs`.
pub(super) const LOAD_BALANCER: Form = Form {
    pattern: r"^arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:loadbalancer/app/[A-Za-z0-9-]+/[A-Za-z0-9-]+$",
    examples: &[
        "arn:aws:elasticloadbalancing:us-east-1:111122223333:loadbalancer/app/ops/50dc6c495c0c9188",
    ],
};
/// See `issuer` there.
pub(super) const ISSUER: Form = Form {
    pattern: r"^https://[!-~]+$",
    examples: &["https://login.example.com"],
};
/// See `client` there.
pub(super) const CLIENT: Form = Form {
    pattern: r"^[!-~]+$",
    examples: &["4fmvht22tjrgd7d3k3tghttct7"],
};
/// See `claim` there.
pub(super) const CLAIM: Form = Form {
    pattern: r"\S",
    examples: &["anna@example.com", "groups=bedrock-ops"],
};
/// A path; relative ones start at the folder of the file.
pub(super) const PATH: Form = Form {
    pattern: r"\S",
    examples: &["/var/lib/bedrock-ops-alert"],
};
/// Where a secret is.
pub(super) const SECRET: Form = Form {
    pattern: r"^(credential:[^/\\.][^/\\]*|env:[A-Za-z_][A-Za-z0-9_]*|http://(localhost|127\.[0-9.]+|\[::1\]):[0-9]{1,5}(/.*)?)$",
    examples: &[
        "credential:slack-url",
        "env:SLACK_URL",
        "http://127.0.0.1:4566/hook",
    ],
};
/// Where a secret is that can't be an address.
pub(super) const CREDENTIAL: Form = Form {
    pattern: r"^(credential:[^/\\.][^/\\]*|env:[A-Za-z_][A-Za-z0-9_]*)$",
    examples: &["credential:slack-token", "env:SLACK_TOKEN"],
};
/// An address on this machine.
pub(super) const HERE: Form = Form {
    pattern: r"^http://(localhost|127\.[0-9.]+|\[::1\]):[0-9]{1,5}(/.*)?$",
    examples: &["http://127.0.0.1:4566/hook"],
};
/// An e-mail address.
pub(super) const EMAIL: Form = Form {
    pattern: r"^[^\s,@]+@[^\s,@]+\.[^\s,@]*$",
    examples: &["oncall@example.com"],
};
/// An address that is no secret.
pub(super) const ADDRESS: Form = Form {
    pattern: r"^(https://[^\s@?#\\]+|http://(localhost|127\.[0-9.]+|\[::1\]):[0-9]{1,5}(/.*)?)$",
    examples: &["https://alertmanager.example.com", "http://127.0.0.1:9093"],
};
/// The id of a Slack channel.
pub(super) const CHANNEL: Form = Form {
    pattern: r"^[CGD][A-Z0-9]{8,19}$",
    examples: &["C0123456789"],
};
/// The id of a member of a Slack workspace.
pub(super) const MEMBER: Form = Form {
    pattern: r"^[UW][A-Z0-9]{8,19}$",
    examples: &["U0123ABCDEF"],
};
/// The name of a pool, or a pattern of such.
pub(super) const POOL: Form = Form {
    pattern: r"^\S+$",
    examples: &["*/us-east-1/*"],
};
/// The value of a tag, or a pattern of such.
pub(super) const TAG: Form = Form {
    pattern: r"^.{1,256}$",
    examples: &["search", "search-*"],
};
/// Names of rules and overrides.
pub(super) const NAME: Form = Form {
    pattern: r"^[a-z0-9-]{1,60}$",
    examples: &["tpm-share-warning"],
};
/// The name of a rule, or a pattern of such.
pub(super) const RULE: Form = Form {
    pattern: r"^[a-z0-9*-]{1,60}$",
    examples: &["throttles", "*-share-critical"],
};
/// Names of receivers.
pub(super) const RECEIVER: Form = Form {
    pattern: r"^[A-Za-z0-9_-]{1,60}$",
    examples: &["on-call"],
};
/// A base model, or a pattern of such.
pub(super) const MODEL: Form = Form {
    pattern: r"^[^\sA-Z/]+$",
    examples: &["anthropic.claude-*", "anthropic.claude-sonnet-4-6"],
};
/// A base model, or the beginning of one and a `*`.
pub(super) const BEGINNING: Form = Form {
    pattern: r"^[A-Za-z0-9_.:/-]*\*?$",
    examples: &["anthropic.claude-*"],
};
/// An instant with its offset, or a date.
pub(super) const INSTANT: Form = Form {
    pattern: r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9:.]+(Z|[+-][0-9:]+))?$",
    examples: &["2026-12-01", "2026-12-01T09:00:00+01:00"],
};
/// The same, later: the end of what begins there.
pub(super) const END: Form = Form {
    pattern: INSTANT.pattern,
    examples: &["2026-12-02", "2026-12-01T17:00:00+01:00"],
};
/// A day of the week and a time in UTC.
pub(super) const WEEKLY: Form = Form {
    pattern: r"^(Mon|Tue|Wed|Thu|Fri|Sat|Sun) [0-2][0-9]:[0-5][0-9]$",
    examples: &["Sun 02:00"],
};
/// A time in UTC, of each day or of one day of the week.
pub(super) const CLOCK: Form = Form {
    pattern: r"^((Mon|Tue|Wed|Thu|Fri|Sat|Sun) )?[0-2][0-9]:[0-5][0-9]$",
    examples: &["08:00", "Mon 08:00"],
};
/// A change with its sign.
pub(super) const CHANGE: Form = Form {
    pattern: r"^\s*[+-][0-9.]+\s*%\s*$",
    examples: &["+40 %", "-20 %"],
};
