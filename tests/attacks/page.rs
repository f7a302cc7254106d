//! Plays the attacks of a section, and makes its table.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::attack::Attack;
use crate::site::{App, Site};

/// How many logins of a section there are at a time: most of them wait.
const WORKERS: usize = 3;
/// How often a login is played whose end is another than the page says: the machine may be busy, and a
/// time-out that comes of that is no find. Who comes in is one at once.
const TRIES: usize = 3;

/// The titles of the page, in its order.
const TITLES: [&str; 10] = [
    "A thread that is frozen",
    "Ports that are held",
    "Limits",
    "Time and signals",
    "The surroundings",
    "The network's names",
    "Too many requests",
    "Other users",
    "What no user here can do",
    "What this machine forbids",
];

type Cells = BTreeMap<(usize, App), [String; 4]>;

/// Plays `attacks`, and compares their table with the page's.
#[track_caller]
pub fn section(title: &str, introduction: &str, attacks: &[Attack]) {
    let documented = document("docs/attacks.md");
    let documented = part(&documented, title);
    let (cells, finds) = play(attacks, documented);
    let text = table(introduction, attacks, &cells);
    publish(title, &text);
    assert!(finds.is_empty(), "{}", finds.join("\n"));
    assert_eq!(
        documented, text,
        "docs/attacks.md is not what happens: copy target/attacks.md there if that is right"
    );
}

/// Says that a section cannot be played here; tests/run.sh counts and names it.
pub fn skipped(title: &str, why: &str) {
    // Past the test harness, which would keep it.
    let _ = writeln!(std::io::stderr(), "\nskipped: attacks: {title} ({why})");
}

fn play(attacks: &[Attack], documented: &str) -> (Cells, Vec<String>) {
    let jobs: Vec<_> = attacks
        .iter()
        .enumerate()
        .flat_map(|(index, attack)| attack.cells().map(move |cell| (index, cell)))
        .collect();
    let next = AtomicUsize::new(0);
    let done = Mutex::new((Cells::new(), Vec::new()));
    thread::scope(|scope| {
        for _ in 0..WORKERS.min(jobs.len()) {
            scope.spawn(|| {
                let mut site = Site::start();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some((index, (app, column, setting))) = jobs.get(number) else {
                        break;
                    };
                    let attack = &attacks[*index];
                    let expected = cell_of(documented, attack, *app, *column);
                    let mut cell = Ok(String::new());
                    for _ in 0..TRIES {
                        let played = AssertUnwindSafe(|| attack.cell(&site, *app, *setting));
                        cell = catch_unwind(played).unwrap_or_else(|_| {
                            Err(format!("{}, {app:?}, {setting:?}: see above", attack.what))
                        });
                        match &cell {
                            Ok(text) if expected.is_none_or(|expected| expected == text) => break,
                            Ok(_) => {}
                            Err(_) => {
                                // Something of it may be left there.
                                site = Site::start();
                                break;
                            }
                        }
                    }
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    match cell {
                        Ok(text) => {
                            done.0.entry((*index, *app)).or_default()[*column] = text;
                        }
                        Err(find) => done.1.push(find),
                    }
                }
            });
        }
    });
    done.into_inner().unwrap()
}

fn table(introduction: &str, attacks: &[Attack], cells: &Cells) -> String {
    let mut text = format!(
        "\n{introduction}\n\n| attack | who plays it | against | unset | `safe` | `secure` | \
         argument `failmode=safe` |\n| --- | --- | --- | --- | --- | --- | --- |\n"
    );
    for (index, attack) in attacks.iter().enumerate() {
        // Applications that end alike have a row in common.
        let mut rows: Vec<(Vec<&str>, &[String; 4])> = Vec::new();
        for app in attack.against {
            let Some(cells) = cells.get(&(index, *app)) else {
                continue;
            };
            match rows.iter_mut().find(|(_, of)| *of == cells) {
                Some((apps, _)) => apps.push(app.name()),
                None => rows.push((vec![app.name()], cells)),
            }
        }
        for (apps, cells) in rows {
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} |",
                attack.what,
                attack.who,
                apps.join(", "),
                cells.join(" | ")
            );
        }
    }
    text
}

/// What the page says of one login.
fn cell_of<'a>(section: &'a str, attack: &Attack, app: App, column: usize) -> Option<&'a str> {
    section.lines().find_map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let is_it = cells.get(1) == Some(&attack.what)
            && cells.get(2) == Some(&attack.who)
            && cells.get(3)?.split(", ").any(|name| name == app.name());
        is_it.then(|| cells.get(4 + column).copied()).flatten()
    })
}

fn document(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(path).unwrap_or_default()
}

/// What is under a title.
fn part<'a>(document: &'a str, title: &str) -> &'a str {
    let heading = format!("\n## {title}\n");
    let Some((_, after)) = document.split_once(&heading) else {
        return "";
    };
    after.split_once("\n## ").map_or(after, |(part, _)| part)
}

/// Puts a section into `target/attacks.md`, beside what other tests have put there.
fn publish(title: &str, text: &str) {
    static SECTIONS: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());
    let mut sections = SECTIONS.lock().unwrap();
    sections.insert(title.to_owned(), text.to_owned());
    let documented = document("docs/attacks.md");
    let mut page = include_str!("attacks_head.md").to_owned();
    for title in TITLES {
        let kept = || part(&documented, title).to_owned();
        let text = sections.get(title).cloned().unwrap_or_else(kept);
        let _ = write!(page, "\n## {title}\n{text}");
    }
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/attacks.md");
    fs::write(target, page).unwrap();
}
