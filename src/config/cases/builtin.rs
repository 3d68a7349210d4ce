//! The tests of the rules that we ship, compiled in like the rules themselves.

/// File and text.
pub(super) const BUILTIN: &[(&str, &str)] = &[
    (
        "alert-rules/tests/client-errors.toml",
        include_str!("../../../alert-rules/tests/client-errors.toml"),
    ),
    (
        "alert-rules/tests/latency.toml",
        include_str!("../../../alert-rules/tests/latency.toml"),
    ),
    (
        "alert-rules/tests/lifecycle.toml",
        include_str!("../../../alert-rules/tests/lifecycle.toml"),
    ),
    (
        "alert-rules/tests/mantle-share.toml",
        include_str!("../../../alert-rules/tests/mantle-share.toml"),
    ),
    (
        "alert-rules/tests/quota-forecast.toml",
        include_str!("../../../alert-rules/tests/quota-forecast.toml"),
    ),
    (
        "alert-rules/tests/rpm-share.toml",
        include_str!("../../../alert-rules/tests/rpm-share.toml"),
    ),
    (
        "alert-rules/tests/server-errors.toml",
        include_str!("../../../alert-rules/tests/server-errors.toml"),
    ),
    (
        "alert-rules/tests/throttles.toml",
        include_str!("../../../alert-rules/tests/throttles.toml"),
    ),
    (
        "alert-rules/tests/tpm-share.toml",
        include_str!("../../../alert-rules/tests/tpm-share.toml"),
    ),
    (
        "alert-rules/tests/traffic.toml",
        include_str!("../../../alert-rules/tests/traffic.toml"),
    ),
];
