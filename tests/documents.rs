//! What the documents say of the tree is so: links and paths lead somewhere, and the contract names
//! every key, code and argument.
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use duo_login::args::Arguments;
use duo_login::config::KEYS;
use duo_login::outcome::PamCode;

const CONTRACT: &str = include_str!("../docs/contract.md");
const SECURITY: &str = include_str!("../SECURITY.md");
const CARGO: &str = include_str!("../Cargo.toml");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Whether it is a file of Markdown, by its name.
fn is_page(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "md")
}

/// One file of Markdown.
struct Document {
    /// From the root of the tree.
    path: PathBuf,
    text: String,
}

impl Document {
    fn read(path: &str) -> Self {
        let text = fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
        let path = PathBuf::from(path);
        Self { path, text }
    }

    /// Every file of Markdown in the tree.
    fn all() -> Vec<Self> {
        let mut found = Vec::new();
        let mut folders = vec![PathBuf::new()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(root().join(&folder)).unwrap() {
                let entry = entry.unwrap();
                let name = entry.file_name().into_string().unwrap();
                let path = folder.join(&name);
                let is_folder = entry.file_type().unwrap().is_dir();
                if is_folder && name != "target" && !name.starts_with('.') {
                    folders.push(path);
                } else if !is_folder && is_page(&path) {
                    found.push(Self::read(path.to_str().unwrap()));
                }
            }
        }
        assert!(found.len() > 5, "the tree has documents");
        found
    }

    /// The lines that are not shown as they are.
    fn prose(&self) -> String {
        let mut shown = false;
        let lines = self.text.lines().filter(|line| {
            let is_fence = line.trim_start().starts_with("```");
            shown ^= is_fence;
            !shown && !is_fence
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Where its links lead, as written.
    fn links(&self) -> Vec<String> {
        let prose = self.prose();
        let ends = prose.split("](").skip(1);
        ends.filter_map(|rest| Some(rest.split_once(')')?.0.trim().to_owned()))
            .collect()
    }

    /// What stands in backquotes.
    fn code(&self) -> Vec<String> {
        let prose = self.prose();
        prose
            .split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    }

    /// The names of its headings in links, as the usual renderers make them.
    fn anchors(&self) -> BTreeSet<String> {
        let prose = self.prose();
        let headings = prose.lines().filter(|line| line.starts_with('#'));
        headings
            .map(|line| {
                let title = line.trim_start_matches('#').trim().to_lowercase();
                let kept = title
                    .chars()
                    .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
                kept.map(|c| if c == ' ' { '-' } else { c }).collect()
            })
            .collect()
    }
}

/// `link` from the folder of `path`, from the root of the tree; `None` if it leads out of the tree.
fn resolve(path: &Path, link: &str) -> Option<PathBuf> {
    let mut resolved = path.parent()?.to_path_buf();
    for component in Path::new(link).components() {
        match component {
            Component::Normal(name) => resolved.push(name),
            Component::CurDir => {}
            Component::ParentDir => {
                if !resolved.pop() {
                    return None;
                }
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(resolved)
}

#[test]
fn every_link_leads_to_a_file_and_a_heading_that_exist() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for document in Document::all() {
        for link in document.links() {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            seen += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match file {
                "" => Some(document.path.clone()),
                file => resolve(&document.path, file),
            };
            let target = target.filter(|target| root().join(target).exists());
            let is_right = target.is_some_and(|target| {
                anchor.is_empty() || {
                    let target = Document::read(target.to_str().unwrap());
                    target.anchors().contains(anchor)
                }
            });
            if !is_right {
                wrong.push(format!("{}: {link}", document.path.display()));
            }
        }
    }
    assert!(seen > 20, "{seen} links");
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn no_document_names_a_page_outside_the_tree() {
    let mut wrong = Vec::new();
    for document in Document::all() {
        for code in document.code().iter().chain(&document.links()) {
            let is_outside = code.starts_with("../") && resolve(&document.path, code).is_none();
            let is_url = code.contains("://");
            let is_elsewhere = code.starts_with('/') && is_page(Path::new(code));
            if !is_url && (is_outside || is_elsewhere) {
                wrong.push(format!("{}: {code}", document.path.display()));
            }
        }
        if document.text.contains(concat!("/wo", "rk/")) {
            wrong.push(format!("{}: a build machine", document.path.display()));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// Where files of this project are.
const FOLDERS: [&str; 7] = [
    "crates/",
    "src/",
    "tests/",
    "docs/",
    "packaging/",
    "conf/",
    "benches/",
];

#[test]
fn every_path_of_the_guides_exists() {
    let guides = [
        "docs/architecture.md",
        "CONTRIBUTING.md",
        "docs/hosts.md",
        "docs/contract.md",
        "docs/duo-auth-api.md",
    ];
    let mut seen = 0;
    for guide in guides {
        for code in Document::read(guide).code() {
            // Also within a command, such as `sh tests/run.sh`.
            for word in code.split_whitespace() {
                if FOLDERS.iter().any(|folder| word.starts_with(folder)) {
                    seen += 1;
                    assert!(root().join(word).exists(), "{guide}: {word}");
                }
            }
        }
    }
    assert!(seen > 40, "{seen} paths");
}

/// What stands under a heading of the second level.
#[track_caller]
fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let start = format!("\n## {heading}\n");
    let (_, rest) = text.split_once(&start).expect(heading);
    rest.split("\n## ").next().unwrap_or(rest)
}

/// The cells of the row of `section` whose first cell has `name` in backquotes.
#[track_caller]
fn row(section: &'static str, name: &str) -> Vec<&'static str> {
    let is_named = |cell: &str| cell.split('`').skip(1).step_by(2).any(|code| code == name);
    let rows = section
        .lines()
        .filter_map(|line| Some(line.strip_prefix("| ")?.split(" | ").collect()));
    let mut rows = rows.filter(|cells: &Vec<&str>| cells.first().is_some_and(|c| is_named(c)));
    rows.next()
        .unwrap_or_else(|| panic!("docs/contract.md has no row for {name}"))
}

#[test]
fn the_contract_has_a_row_with_the_default_for_every_key_and_for_no_other() {
    let keys = section(CONTRACT, "Configuration keys");
    for key in KEYS {
        let cells = row(keys, key.name);
        if let Some(alias) = key.alias {
            assert_eq!(row(keys, alias), cells, "{alias}");
        }
        let default = match key.default {
            "" => "–".to_owned(),
            default => format!("`{default}`"),
        };
        assert_eq!(cells.get(1), Some(&default.as_str()), "{}", key.name);
    }
    let rows = keys.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(rows, KEYS.len());
}

#[test]
fn the_contract_has_a_row_for_every_pam_code() {
    let codes = section(CONTRACT, "Return codes");
    for code in PamCode::ALL {
        let lets_in = if code.lets_in() { "in" } else { "out" };
        assert_eq!(row(codes, code.name()).get(1), Some(&lets_in), "{code:?}");
    }
}

#[test]
fn the_contract_has_a_row_for_every_module_argument_and_for_no_other() {
    let rows = section(CONTRACT, "Module arguments")
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let written: Vec<&str> = rows.collect();
    let expected = [
        "conf=PATH",
        "debug",
        "trace",
        "failmode=safe",
        "failmode=secure",
    ];
    assert_eq!(written, expected);
    for argument in written {
        let argument = argument.replace("PATH", "/etc/duo/pam_duo.conf");
        let bad = Arguments::parse([argument.as_bytes()]).bad;
        assert_eq!(bad, Vec::<String>::new());
    }
}

#[test]
fn a_vulnerability_is_reported_in_private_or_to_the_packages_maintainer() {
    let maintainer = CARGO
        .lines()
        .find_map(|line| line.strip_prefix("maintainer = "))
        .expect("a maintainer");
    let address = maintainer
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'))
        .expect("an address")
        .0;
    let reporting = section(SECURITY, "Reporting");
    assert!(reporting.contains(&format!("<{address}>")), "{address}");
    assert!(reporting.contains("private vulnerability reporting"));
}
