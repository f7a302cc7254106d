//! Every text that a user can meet, in one place, and the cleaning of text from outside.
//!
//! A line has fewer than 80 columns, says what happened and, where there is something to do, what.

use std::fmt::Write as _;

use duo_auth::clean;

/// Longest name of a user or a device on the screen, in characters.
const NAME: usize = 36;
/// Longest verification code on the screen, in characters; Duo's have three to six.
const CODE: usize = 16;
/// Longest line of Duo's on the screen, in characters.
const LINE: usize = 78;
/// Most lines of Duo's own menu.
const SERVER_LINES: usize = 64;

/// Cleans and cuts to `longest` characters.
fn short(text: &str, longest: usize) -> String {
    let text = clean(text);
    let text = text.trim();
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(longest.saturating_sub(3)).collect();
    cut.push_str("...");
    cut
}

/// A name from Duo or from the system, fit for a line.
#[must_use]
pub fn name(text: &str) -> String {
    short(text, NAME)
}

/// A message of Duo's, fit for a line; `otherwise` where Duo said nothing.
#[must_use]
pub fn duo_says(message: &str, otherwise: &str) -> String {
    match short(message, LINE) {
        empty if empty.is_empty() => otherwise.to_owned(),
        message => message,
    }
}

/// Duo's own menu: lines stay lines, the rest is cleaned.
#[must_use]
pub fn server_menu(text: &str) -> String {
    let lines: Vec<String> = text
        .lines()
        .take(SERVER_LINES)
        .map(|line| {
            let line = clean(line);
            line.trim_end().chars().take(LINE).collect()
        })
        .collect();
    let mut menu = lines.join("\n");
    // The cursor stands one blank after the question.
    if !menu.ends_with('\n') {
        menu.push(' ');
    }
    menu
}

/// First line of the menu.
#[must_use]
pub fn menu_title(user: &str) -> String {
    format!("Duo two-factor login for {}", name(user))
}

/// Above the options.
pub const CHOOSE: &str = "Enter a passcode or select one of the following options:";

/// Where no device can be pushed to, called or texted.
pub const PASSCODE_ONLY: &str = "None of your devices can get a push, a call or an SMS.";

/// An option of the menu.
#[must_use]
pub fn push_option(device: &str) -> String {
    format!("Duo Push to {}", name(device))
}

/// An option of the menu.
#[must_use]
pub fn phone_option(device: &str) -> String {
    format!("Phone call to {}", name(device))
}

/// An option of the menu; `next` is the first digit of the next passcode.
#[must_use]
pub fn sms_option(device: &str, next: Option<&str>) -> String {
    let mut text = format!("SMS passcodes to {}", name(device));
    if let Some(digit) = next.and_then(|next| clean(next).chars().next()) {
        let _ = write!(text, " (next starts with {digit})");
    }
    text
}

/// The code of a verified push, below the options.
#[must_use]
pub fn menu_code(code: &str) -> String {
    format!("For Duo Push, enter {} in Duo Mobile.", short(code, CODE))
}

/// The question below the options.
#[must_use]
pub fn question(options: usize) -> String {
    match options {
        0 => "Passcode: ".to_owned(),
        1 => "Passcode or option (1): ".to_owned(),
        last => format!("Passcode or option (1-{last}): "),
    }
}

/// An answer that is neither an option nor a passcode.
#[must_use]
pub fn not_an_answer(options: usize) -> String {
    match options {
        0 => "That is not a passcode. Type the digits you were given.".to_owned(),
        1 => "That is neither 1 nor a passcode.".to_owned(),
        last => format!("That is neither a number from 1 to {last} nor a passcode."),
    }
}

/// An answer to Duo's own menu that cannot be sent.
pub const NOT_USABLE: &str = "That is not an answer. Type an option or a passcode.";

/// The password was typed once more.
pub const IS_PASSWORD: &str = "That is your password, not a passcode.";
/// The user's name was typed, or given by a program.
pub const IS_USER_NAME: &str = "That is your user name, not a passcode.";
/// Duo has refused the same passcode in this login.
pub const WAS_REFUSED: &str = "That passcode has just been refused. Type another one.";
/// The push limit is reached.
pub const PUSHES_CLOSED: &str =
    "Too many login requests were not approved: only passcodes are taken for now.";

/// Passcodes were sent by SMS.
pub const SMS_SENT: &str = "New passcodes were sent by SMS. Type the first of them.";

/// Passcodes were asked for too often.
pub const SMS_ENOUGH: &str = "No more passcodes are sent in this login. Type one of them.";

/// A push is on its way.
#[must_use]
pub fn pushed(device: &str) -> String {
    format!("Pushed a login request to {}.", name(device))
}

/// A phone is being called.
#[must_use]
pub fn calling(device: &str) -> String {
    format!("Calling {}. Answer and do what it says.", name(device))
}

/// The question that goes out together with a verified push.
#[must_use]
pub fn verified_push(code: &str) -> String {
    format!(
        "Enter {} in Duo Mobile, then press Enter here;\nor type a passcode: ",
        short(code, CODE)
    )
}

/// Above the question, where the code in the menu was too old.
pub const CODE_EXPIRED: &str = "The code had expired, so a new one was made.";

/// The question that carries progress where a line alone would not be seen.
pub const PRESS_ENTER: &str = "Then press Enter here, or type a passcode: ";

/// A push or call that was denied without a word from Duo.
pub const DENIED: &str = "Login request denied.";
/// A push that nobody answered, without a word from Duo.
pub const TIMED_OUT: &str = "Nobody answered the login request in time.";
/// A push that did not reach the phone.
pub const NOT_DELIVERED: &str = "The push could not be delivered. Choose another way.";
/// Reported as fraud, without a word from Duo.
pub const FRAUD: &str = "Login request reported as fraud.";
/// Locked out, without a word from Duo.
pub const LOCKED_OUT: &str = "Your account is locked out. Ask your administrator.";
/// Denied at preauth, without a word from Duo.
pub const NOT_ALLOWED: &str = "Duo does not allow this login. Ask your administrator.";
/// Enrolment wanted, without a word from Duo.
pub const ENROLL: &str = "You are not enrolled in Duo. Ask your administrator.";
/// A fault on the way to Duo keeps the user out.
pub const UNREACHABLE: &str = "Duo cannot be reached. Try again later, or ask your administrator.";
/// Something failed that the user cannot mend.
pub const FAILED: &str = "Duo login failed. Ask your administrator; the log says why.";

/// Longest link that is shown, in bytes.
const LINK: usize = 2048;

/// Where to enrol. A link is not cut: half of it is of no use.
#[must_use]
pub fn enroll_at(url: &str) -> String {
    let url = clean(url);
    match url.trim() {
        link if link.len() <= LINK => format!("To enroll, open this link:\n{link}"),
        _ => "The link to enroll is too long to be shown. Ask your administrator.".to_owned(),
    }
}

/// After what went wrong.
#[must_use]
pub fn tries_left(left: u8) -> String {
    match left {
        1 => "1 try left.".to_owned(),
        more => format!("{more} tries left."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_with_the_longest_names_stay_below_80_columns() {
        let long = "x".repeat(200);
        let texts = [
            menu_title(&long),
            CHOOSE.to_owned(),
            PASSCODE_ONLY.to_owned(),
            format!(" 10. {}", push_option(&long)),
            format!(" 10. {}", phone_option(&long)),
            format!(" 10. {}", sms_option(&long, Some(&long))),
            menu_code(&long),
            question(30),
            not_an_answer(30),
            SMS_SENT.to_owned(),
            IS_PASSWORD.to_owned(),
            IS_USER_NAME.to_owned(),
            WAS_REFUSED.to_owned(),
            PUSHES_CLOSED.to_owned(),
            SMS_ENOUGH.to_owned(),
            pushed(&long),
            calling(&long),
            verified_push(&long),
            CODE_EXPIRED.to_owned(),
            PRESS_ENTER.to_owned(),
            DENIED.to_owned(),
            TIMED_OUT.to_owned(),
            NOT_DELIVERED.to_owned(),
            FRAUD.to_owned(),
            LOCKED_OUT.to_owned(),
            NOT_ALLOWED.to_owned(),
            ENROLL.to_owned(),
            UNREACHABLE.to_owned(),
            FAILED.to_owned(),
            tries_left(3),
            duo_says(&long, ""),
            server_menu(&long),
        ];
        for text in texts {
            for line in text.lines() {
                assert!(line.chars().count() < 80, "{line}");
            }
        }
    }

    #[test]
    fn an_enrolment_link_is_never_cut() {
        let url = format!("https://example.com/{}", "a".repeat(300));
        assert!(enroll_at(&url).ends_with(&url));
    }

    proptest! {
        #[test]
        fn a_menu_of_duos_has_no_control_characters(text in "\\PC*|[\\x00-\\x1f\\x7f-\\x9f a]*") {
            prop_assert!(!server_menu(&text).replace('\n', "").chars().any(char::is_control));
        }
    }
}
