//! How the released binary is linked.

/// Functions of the same code are kept once: the clients of nine AWS services have many. A thirtieth of the binary.
fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|it| it == value);
    // The toolchain brings lld for this target; other linkers don't know the option.
    if is("PROFILE", "release") && is("TARGET", "x86_64-unknown-linux-gnu") {
        println!("cargo:rustc-link-arg-bins=-Wl,--icf=all");
    }
}
