//! What people and scripts see.

use std::process::Command;

use crate::root::Root;

fn skippable() -> Root {
    let root = Root::with_recipe(12);
    root.write(
        "/etc/pam.d/sshd",
        "# ours\n\nauth sufficient pam_unix.so\nauth required pam_duo.so\n",
    );
    root
}

#[test]
fn text_says_what_is_wrong_which_way_leads_in_and_what_to_write() {
    let output = skippable().run(&[]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        text,
        "error: /etc/pam.d/sshd:3: pam_unix.so ends the stack before pam_duo.so: users who pass it \
         are never asked for Duo [sufficient-before-duo]\n  for: sshd\n  \
         path: /etc/pam.d/sshd:3  pam_unix.so  success → done: in\n  \
         fix: auth  requisite  pam_unix.so\n\n1 finding; 1 service asks Duo: sshd\n"
    );
}

#[test]
fn json_has_the_same() {
    let report = skippable().lint();
    let path = serde_json::json!([{
        "file": "/etc/pam.d/sshd", "line": 3, "module": "pam_unix.so",
        "result": "success", "then": "done: in",
    }]);
    let finding = &report["findings"][0];
    assert_eq!(finding["id"], "sufficient-before-duo");
    assert_eq!(finding["severity"], "error");
    let place = serde_json::json!({"file": "/etc/pam.d/sshd", "line": 3});
    assert_eq!(finding["where"], place);
    assert!(
        finding["message"]
            .as_str()
            .unwrap()
            .contains("before pam_duo.so")
    );
    assert_eq!(finding["fix"], "auth  requisite  pam_unix.so");
    assert_eq!(finding.as_object().unwrap().len(), 7, "{finding}");
    assert_eq!(finding["services"], serde_json::json!(["sshd"]));
    assert_eq!(finding["path"], path);
    assert_eq!(
        report["services"],
        serde_json::json!([{"name": "sshd", "skippable": true, "possible": true, "path": path}])
    );
}

#[test]
fn nothing_found_is_status_0_and_says_so() {
    let output = Root::with_recipe(13).run(&[]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text, "No findings; 1 service asks Duo: sshd\n");
}

#[test]
fn a_finding_for_several_services_comes_once_and_names_them() {
    let root = Root::debian(12);
    root.enable_profile();
    root.replace(
        "/etc/pam.d/common-auth",
        "[success=1 default=ignore]",
        "sufficient",
    );
    std::fs::remove_file(root.path("/etc/ssh/sshd_config")).unwrap();
    let report = root.lint();
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{report:#}");
    let services = serde_json::json!(["login", "other", "sshd", "su", "sudo"]);
    assert_eq!(findings[0]["services"], services);
    // Debian's su lets root pass, which is noted and not wrong.
    let notes = report["notes"].as_array().unwrap();
    assert!(
        notes[0].as_str().unwrap().contains("pam_rootok.so"),
        "{notes:?}"
    );
}

/// No way around Duo, but only one factor: noted, since lint cannot know whether it is meant so.
#[test]
fn duo_as_the_only_factor_is_noted() {
    let notes = |root: &Root| {
        let report = root.lint();
        assert_eq!(
            report["findings"].as_array().unwrap().len(),
            0,
            "{report:#}"
        );
        report["notes"].to_string()
    };
    let root = Root::with_recipe(12);
    assert!(!notes(&root).contains("Duo is all"), "the key comes first");
    root.sshd(
        "UsePAM yes\nKbdInteractiveAuthentication yes\nPasswordAuthentication no\n\
         AuthenticationMethods keyboard-interactive\n",
    );
    assert!(notes(&root).contains("Duo is all that sshd asks for"));
    let root = Root::with_recipe(12);
    root.replace(
        "/etc/pam.d/sudo",
        "@include common-auth",
        "auth  required  pam_duo.so",
    );
    assert!(notes(&root).contains("Duo is all that sudo asks for"));
}

/// Whoever may run sudo can make an outage: what that argument gives away is noted, and not wrong.
#[test]
fn failmode_safe_on_the_line_of_a_program_that_users_start_is_noted() {
    let notes = |change: &dyn Fn(&Root)| {
        let root = Root::debian(12);
        change(&root);
        std::fs::remove_file(root.path("/etc/ssh/sshd_config")).unwrap();
        let report = root.lint();
        assert_eq!(report["findings"], serde_json::json!([]), "{report:#}");
        let notes = report["notes"].as_array().unwrap().clone();
        let text = |note: &serde_json::Value| note.as_str().unwrap().to_owned();
        let mut notes: Vec<String> = notes.iter().map(text).collect();
        notes.retain(|note| note.contains("failmode=safe"));
        notes
    };
    let line = |service: &'static str, arguments: &'static str| {
        notes(&|root: &Root| {
            let duo = format!("@include common-auth\nauth required pam_duo.so {arguments}\n");
            root.write(&format!("/etc/pam.d/{service}"), &duo);
        })
    };
    for service in [
        "sudo", "sudo-i", "su", "su-l", "doas", "polkit-1", "runuser", "swaylock",
    ] {
        let expected = format!(
            "/etc/pam.d/{service}:2: failmode=safe for {service}, which users start: whoever may \
             run it can make an outage (by freezing a thread of it, say) and get in without Duo; \
             leave the argument out if that is not meant"
        );
        assert_eq!(line(service, "failmode=safe"), [expected]);
    }
    assert_eq!(line("sudo", "failmode=safe failmode=secure"), [""; 0]);
    assert_eq!(line("sudo", "failmode=secure"), [""; 0]);
    assert_eq!(line("sudo", ""), [""; 0]);
    assert_eq!(line("login", "failmode=safe"), [""; 0]);
    let shared = notes(&|root: &Root| {
        root.enable_profile();
        root.replace(
            "/etc/pam.d/common-auth",
            "pam_duo.so",
            "pam_duo.so failmode=safe",
        );
    });
    assert_eq!(shared.len(), 1, "{shared:?}");
    assert!(
        shared[0].contains("failmode=safe for su, sudo, which users start"),
        "{shared:?}"
    );
}

#[test]
fn usage_errors_are_status_2() {
    for arguments in [
        &["lint", "--nonsense"][..],
        &["lint", "--root", "/nonexistent"],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_pamduo"))
            .args(arguments)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty() && output.stdout.is_empty());
    }
}

#[test]
fn no_secret_and_nothing_that_moves_a_cursor_is_printed() {
    let root = skippable();
    root.write(
        "/etc/pam.d/sshd",
        "auth sufficient pam_\u{1b}[2J.so\nauth required pam_duo.so\n",
    );
    for arguments in [&[][..], &["--json"]] {
        let text = String::from_utf8(root.run(arguments).stdout).unwrap();
        assert!(
            !text.contains('\u{1b}') && !text.contains("u001b"),
            "{text}"
        );
        assert!(
            !text.contains("deadbeef") && !text.contains("DIXX"),
            "{text}"
        );
    }
}
