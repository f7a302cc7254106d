//! Link options of the module.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // A thread of ours (a name look-up that timed out) may outlive the host's dlclose().
    println!("cargo::rustc-link-arg-cdylib=-Wl,-z,nodelete,-z,relro,-z,now,-z,noexecstack");
}
