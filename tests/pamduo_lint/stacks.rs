//! Stacks on which lint and real PAM have to agree.
//!
//! `{duo}` is the Duo module. `{a}` and `{b}` are modules of which lint knows only that they check a
//! password; in reality they answer anything that such a module answers. `{totp}` is a module that
//! checks a code: where Duo cannot be asked the code is wrong, elsewhere it is right. `{x}` begins the names of a
//! stack's own files. Everything else is as it is written.

/// A stack, and what is known of it.
pub struct Stack {
    /// What it is about.
    pub about: &'static str,
    /// Whether one gets in although the second factor fails.
    pub skippable: bool,
    /// Whether one gets in when it approves.
    pub possible: bool,
    /// The service's lines.
    pub lines: &'static str,
    /// Files that they include, by name.
    pub files: &'static [(&'static str, &'static str)],
}

const fn stack(about: &'static str, skippable: bool, possible: bool, lines: &'static str) -> Stack {
    Stack {
        about,
        skippable,
        possible,
        lines,
        files: &[],
    }
}

const fn files(
    about: &'static str,
    skippable: bool,
    possible: bool,
    lines: &'static str,
    files: &'static [(&'static str, &'static str)],
) -> Stack {
    Stack {
        about,
        skippable,
        possible,
        lines,
        files,
    }
}

/// Debian's common-auth with an additional module after it.
const DEBIAN: &str = "auth\t[success=1 default=ignore]\t{a} nullok\nauth\trequisite\t\t\tpam_deny.so\n\
    auth\trequired\t\t\tpam_permit.so\nauth\trequired\t\t\t{duo}\nauth\toptional\t\t\tpam_warn.so\n";

/// The table.
pub const STACKS: &[Stack] = &[
    stack("Duo alone", false, true, "auth required {duo}"),
    stack(
        "the recipe with a password",
        false,
        true,
        "auth requisite {a}\nauth required {duo}",
    ),
    stack(
        "pam_listfile ignores users whom apply= does not name",
        true,
        true,
        "auth required {a}\nauth [success=ignore ignore=1 default=die] pam_listfile.so item=rhost \
         sense=allow file=/etc/hostname apply=@nobody-is-in-it\nauth required {duo}\nauth required \
         pam_permit.so",
    ),
    stack(
        "a code where Duo cannot be asked",
        false,
        true,
        "auth requisite {a}\nauth [success=1 authinfo_unavail=ignore default=die] {duo}\n\
         auth requisite {totp}\nauth required pam_permit.so",
    ),
    stack(
        "a code where Duo cannot be asked, reached by a jump",
        false,
        true,
        "auth [success=2 authinfo_unavail=1 default=die] {duo}\nauth requisite pam_deny.so\n\
         auth required {totp}\nauth required pam_permit.so",
    ),
    stack(
        "a code where Duo cannot be asked, and success ends the stack",
        false,
        true,
        "auth required {a}\nauth [success=done authinfo_unavail=ignore default=die] {duo}\n\
         auth sufficient {totp}\nauth requisite pam_deny.so",
    ),
    stack(
        "a code for whom Duo refuses",
        true,
        true,
        "auth requisite {a}\nauth [success=1 default=ignore] {duo}\nauth requisite {totp}\n\
         auth required pam_permit.so",
    ),
    stack(
        "a code for whom Duo denies, and none where it cannot be asked",
        true,
        true,
        "auth [success=1 authinfo_unavail=die default=ignore] {duo}\nauth requisite {totp}\n\
         auth required pam_permit.so",
    ),
    stack(
        "a code that may be wrong where Duo cannot be asked",
        true,
        true,
        "auth requisite {a}\nauth [success=1 authinfo_unavail=ignore default=die] {duo}\n\
         auth optional {totp}\nauth required pam_permit.so",
    ),
    stack(
        "a code instead of Duo",
        true,
        true,
        "auth requisite {a}\nauth sufficient {totp}\nauth required {duo}",
    ),
    stack(
        "a code, and a stack that is reset after it",
        true,
        true,
        "auth [success=2 authinfo_unavail=ignore default=die] {duo}\nauth required {totp}\n\
         auth [default=reset] pam_debug.so auth=auth_err\nauth required pam_permit.so",
    ),
    stack(
        "required twice",
        false,
        true,
        "auth required {a}\nauth required {duo}",
    ),
    stack(
        "Duo first",
        false,
        true,
        "auth requisite {duo}\nauth required {a}",
    ),
    stack(
        "sufficient before",
        true,
        true,
        "auth sufficient {a}\nauth required {duo}",
    ),
    stack(
        "sufficient before, in brackets",
        true,
        true,
        "auth [success=done default=die] {a}\nauth required {duo}",
    ),
    stack(
        "a sufficient that always fails",
        false,
        true,
        "auth sufficient pam_debug.so auth=perm_denied\nauth required {duo}",
    ),
    stack(
        "sufficient after a failure does not end the stack",
        false,
        false,
        "auth required pam_deny.so\nauth sufficient {a}\nauth required {duo}",
    ),
    stack(
        "sufficient after Duo",
        false,
        true,
        "auth required {duo}\nauth sufficient {a}\nauth required pam_deny.so",
    ),
    stack(
        "optional after a password",
        true,
        true,
        "auth required {a}\nauth optional {duo}",
    ),
    stack(
        "optional and alone: nobody says yes",
        false,
        true,
        "auth optional {duo}",
    ),
    stack(
        "optional, deny after",
        false,
        false,
        "auth optional {duo}\nauth required pam_deny.so",
    ),
    stack(
        "Duo sufficient, deny after",
        false,
        true,
        "auth requisite {a}\nauth sufficient {duo}\nauth required pam_deny.so",
    ),
    stack(
        "Duo sufficient, nothing after",
        true,
        true,
        "auth requisite {a}\nauth sufficient {duo}",
    ),
    stack(
        "Duo or a password",
        true,
        true,
        "auth sufficient {duo}\nauth required {a}",
    ),
    stack(
        "Duo jumps over deny",
        false,
        true,
        "auth [success=1 default=ignore] {duo}\nauth requisite pam_deny.so\nauth required pam_permit.so",
    ),
    stack(
        "a jump alone is not a success",
        false,
        false,
        "auth [success=1 default=ignore] {duo}\nauth requisite pam_deny.so",
    ),
    stack(
        "Duo jumps over nothing that denies",
        true,
        true,
        "auth [success=1 default=ignore] {duo}\nauth optional pam_warn.so\nauth required pam_permit.so",
    ),
    stack("Debian's common-auth", false, true, DEBIAN),
    stack(
        "Debian's common-auth, one jump too far",
        true,
        true,
        "auth [success=3 default=ignore] {a}\nauth requisite pam_deny.so\nauth required pam_permit.so\nauth required {duo}\nauth required pam_permit.so",
    ),
    stack(
        "a jump over Duo to the end: nothing says yes",
        false,
        true,
        "auth [success=1 default=ignore] {a}\nauth required {duo}",
    ),
    stack(
        "a jump over Duo",
        true,
        true,
        "auth requisite {a}\nauth [success=1 default=ignore] {b}\nauth required {duo}",
    ),
    stack(
        "a jump beyond the end is a failure",
        false,
        true,
        "auth requisite {a}\nauth [success=2 default=ignore] {b}\nauth required {duo}",
    ),
    stack(
        "a jump beyond the end that everyone takes",
        false,
        false,
        "auth [default=5] {a}\nauth required {duo}",
    ),
    stack(
        "a condition that never holds",
        false,
        true,
        "auth requisite {a}\nauth [success=1 default=ignore] pam_debug.so auth=auth_err\nauth required {duo}",
    ),
    stack(
        "a condition that always holds",
        true,
        true,
        "auth requisite {a}\nauth [success=1 default=ignore] pam_permit.so\nauth required {duo}",
    ),
    stack(
        "an outage is ignored",
        true,
        true,
        "auth requisite {a}\nauth [success=ok authinfo_unavail=ignore default=die] {duo}",
    ),
    stack(
        "a faulty configuration is ignored",
        true,
        true,
        "auth requisite {a}\nauth [success=ok service_err=ignore default=bad] {duo}",
    ),
    stack(
        "only ignore is ignored",
        false,
        true,
        "auth requisite {a}\nauth [success=ok ignore=ignore default=bad] {duo}",
    ),
    stack(
        "a failure called ok is not a success",
        false,
        true,
        "auth required pam_permit.so\nauth [default=ok] {duo}",
    ),
    stack(
        "a failure called done is not a success",
        false,
        true,
        "auth [default=done] {duo}\nauth required pam_permit.so",
    ),
    stack(
        "a reset forgets Duo",
        true,
        true,
        "auth required {duo}\nauth [default=reset] pam_warn.so\nauth required pam_permit.so",
    ),
    stack(
        "a reset before Duo",
        false,
        true,
        "auth required {a}\nauth [default=reset] pam_warn.so\nauth required {duo}",
    ),
    stack(
        "Duo itself resets",
        true,
        true,
        "auth [success=ok default=reset] {duo}\nauth required pam_permit.so",
    ),
    stack(
        "Duo's success is called a failure",
        false,
        false,
        "auth [success=bad default=bad] {duo}",
    ),
    stack(
        "deny before",
        false,
        false,
        "auth requisite pam_deny.so\nauth required {duo}",
    ),
    stack(
        "deny directly after",
        false,
        false,
        "auth required {duo}\nauth required pam_deny.so",
    ),
    stack(
        "permit after it does not help",
        false,
        true,
        "auth required {duo}\nauth sufficient pam_permit.so",
    ),
    stack(
        "permit ends before",
        true,
        true,
        "auth sufficient pam_permit.so\nauth required {duo}",
    ),
    stack(
        "Red Hat's shape",
        true,
        true,
        "auth required pam_debug.so auth=success\nauth [default=1 ignore=ignore success=ok] pam_permit.so\nauth sufficient {a}\nauth sufficient {b}\nauth required pam_deny.so\nauth required {duo}",
    ),
    stack(
        "Duo twice",
        false,
        true,
        "auth required {duo}\nauth required {duo}",
    ),
    stack(
        "either Duo",
        true,
        true,
        "auth sufficient {duo}\nauth [success=ok default=ignore] {duo}\nauth required pam_permit.so",
    ),
    stack(
        "words of libpam in capitals",
        false,
        true,
        "AUTH Requisite {a}\n-Auth REQUIRED {duo}",
    ),
    stack(
        "a control that is not understood",
        false,
        false,
        "auth requird {duo}",
    ),
    stack(
        "a jump of no steps is not understood",
        false,
        false,
        "auth [success=0 default=ignore] {a}\nauth required {duo}",
    ),
    stack(
        "a control without default is strict",
        false,
        true,
        "auth required pam_permit.so\nauth [success=ok] {duo}",
    ),
    stack(
        "a type that is not understood fails in auth",
        false,
        false,
        "auth required {duo}\noath required pam_permit.so",
    ),
    stack(
        "an optional line without a module",
        false,
        true,
        "auth required {duo}\nauth optional",
    ),
    stack(
        "a comment with a backslash joins nothing",
        false,
        false,
        "auth required {duo} # note \\\nauth required pam_deny.so",
    ),
    stack(
        "joined lines",
        true,
        true,
        "auth required {a}\nauth \\\n  optional \\\n{duo}",
    ),
    stack(
        "a required module that ignores",
        false,
        true,
        "auth required pam_debug.so auth=ignore\nauth required {duo}",
    ),
    files(
        "include",
        true,
        true,
        "auth include {x}inner\nauth required {duo}",
        &[("inner", "auth sufficient {a}\naccount required pam_deny.so")],
    ),
    files(
        "substack: done ends it alone",
        false,
        true,
        "auth substack {x}inner\nauth required {duo}",
        &[("inner", "auth sufficient {a}\nauth required pam_deny.so")],
    ),
    files(
        "substack: Duo in it, ended before",
        true,
        true,
        "auth substack {x}inner\nauth required pam_permit.so",
        &[("inner", "auth sufficient {a}\nauth required {duo}")],
    ),
    files(
        "substack: die ends it alone, and is a failure",
        false,
        true,
        "auth substack {x}inner\nauth required pam_permit.so",
        &[("inner", "auth requisite {duo}\nauth required pam_permit.so")],
    ),
    files(
        "a substack is one step for a jump",
        true,
        true,
        "auth requisite {a}\nauth [default=1] pam_permit.so\nauth substack {x}inner\nauth required pam_permit.so",
        &[("inner", "auth required pam_permit.so\nauth required {duo}")],
    ),
    files(
        "an include is as many steps as it has",
        false,
        true,
        "auth requisite {a}\nauth [default=1] pam_permit.so\nauth include {x}inner\nauth required pam_permit.so",
        &[("inner", "auth required pam_permit.so\nauth required {duo}")],
    ),
    files(
        "a jump does not leave its substack",
        false,
        false,
        "auth substack {x}inner\nauth required {duo}",
        &[(
            "inner",
            "auth [default=2] pam_permit.so\nauth required pam_permit.so",
        )],
    ),
    files(
        "a jump to the end of its substack",
        true,
        true,
        "auth substack {x}inner\nauth required pam_permit.so",
        &[(
            "inner",
            "auth [default=1] pam_permit.so\nauth required {duo}",
        )],
    ),
    files(
        "reset goes back to the substack's beginning",
        false,
        true,
        "auth required {duo}\nauth substack {x}inner\nauth required pam_permit.so",
        &[(
            "inner",
            "auth required pam_permit.so\nauth [default=reset] pam_permit.so",
        )],
    ),
    files(
        "reset in the same substack forgets Duo",
        true,
        true,
        "auth substack {x}inner\nauth required pam_permit.so",
        &[(
            "inner",
            "auth required {duo}\nauth [default=reset] pam_permit.so",
        )],
    ),
    files(
        "substacks within substacks",
        true,
        true,
        "auth substack {x}inner\nauth required pam_permit.so",
        &[
            (
                "inner",
                "auth substack {x}deep\nauth [default=1] pam_permit.so\nauth required {duo}",
            ),
            ("deep", "auth requisite {a}"),
        ],
    ),
    files(
        "two substacks, one after the other",
        false,
        true,
        "auth substack {x}inner\nauth substack {x}other\nauth required {duo}",
        &[
            ("inner", "auth sufficient {a}"),
            ("other", "auth sufficient {b}"),
        ],
    ),
    files(
        "@include brings every type",
        false,
        true,
        "@include {x}inner",
        &[(
            "inner",
            "account required pam_permit.so\nauth required {duo}\nsession required pam_permit.so",
        )],
    ),
    files(
        "@include within include",
        true,
        true,
        "auth include {x}inner",
        &[
            ("inner", "@include {x}deep\nauth optional {duo}"),
            ("deep", "auth required {a}\naccount required pam_deny.so"),
        ],
    ),
    files(
        "an include of nothing fails",
        false,
        false,
        "auth required {duo}\nauth include {x}nothing",
        &[],
    ),
    files(
        "a substack of nothing fails",
        false,
        false,
        "auth required {duo}\nauth substack {x}nothing",
        &[],
    ),
    files(
        "sufficient before an include of nothing",
        true,
        true,
        "auth sufficient {a}\nauth required {duo}\nauth include {x}nothing",
        &[],
    ),
    files(
        "@include of nothing ends everything",
        false,
        false,
        "auth sufficient {a}\nauth required {duo}\n@include {x}nothing",
        &[],
    ),
    files(
        "a circle fails, or crashes older versions of libpam",
        false,
        false,
        "auth required {duo}\nauth include {x}round",
        &[("round", "auth include {x}round")],
    ),
];
