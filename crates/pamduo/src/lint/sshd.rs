//! `sshd_config`, as sshd reads it: the first value of a keyword counts, `Include` brings other
//! files in, and a `Match` block's values stand over the global ones.

use std::path::Path;
use std::rc::Rc;

use super::glob::expand;
use super::stack::Place;
use super::tree::Tree;

/// Where it is.
pub(crate) const PATH: &str = "/etc/ssh/sshd_config";

/// How deep files may include others: sshd's own limit.
const DEPTH_LIMIT: usize = 16;

/// The lines that are in force for everyone.
pub(crate) const GLOBAL: usize = 0;

/// A keyword and its arguments.
#[derive(Clone, Debug)]
pub(crate) struct Directive {
    /// Where it is written.
    pub(crate) place: Place,
    /// In lower case, and by its present name.
    keyword: String,
    /// Its arguments, quotes taken off.
    pub(crate) arguments: Vec<String>,
    /// The block that it is in.
    block: usize,
}

/// A `Match` block.
#[derive(Clone, Debug)]
struct Block {
    criteria: String,
}

impl Block {
    /// Whether it is in force for everyone.
    fn is_all(&self) -> bool {
        self.criteria.eq_ignore_ascii_case("all")
    }
}

/// Everything that `sshd_config` and its includes say.
#[derive(Debug, Default)]
pub(crate) struct Sshd {
    directives: Vec<Directive>,
    /// The first one is that of the global lines.
    blocks: Vec<Block>,
}

/// The settings that are in force for the connections of one block.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    sshd: &'a Sshd,
    block: usize,
}

impl Sshd {
    /// Reads it; `None` if there is none.
    pub(crate) fn read(tree: &Tree) -> Option<Self> {
        let text = tree.read(Path::new(PATH)).ok()?;
        let mut sshd = Self::default();
        sshd.blocks.push(Block {
            criteria: String::new(),
        });
        let mut block = GLOBAL;
        sshd.lines(tree, Path::new(PATH), &text, &mut block, 0);
        Some(sshd)
    }

    /// The settings for those whom no block speaks of, and for each block's connections.
    pub(crate) fn views(&self) -> impl Iterator<Item = View<'_>> {
        let own = |(block, known): (usize, &Block)| {
            (block == GLOBAL || !known.is_all()).then_some(View { sshd: self, block })
        };
        self.blocks.iter().enumerate().filter_map(own)
    }

    fn lines(&mut self, tree: &Tree, path: &Path, text: &str, block: &mut usize, depth: usize) {
        let file: Rc<str> = path.to_string_lossy().into();
        for (number, line) in (1..).zip(text.lines()) {
            let Some((keyword, arguments)) = split(line) else {
                continue;
            };
            match keyword.as_str() {
                "match" => {
                    *block = self.blocks.len();
                    let criteria = arguments.join(" ");
                    self.blocks.push(Block { criteria });
                }
                "include" if depth < DEPTH_LIMIT => {
                    for pattern in &arguments {
                        self.include(tree, pattern, *block, depth);
                    }
                }
                _ => self.directives.push(Directive {
                    place: Place {
                        file: Rc::clone(&file),
                        line: Some(number),
                    },
                    keyword,
                    arguments,
                    block: *block,
                }),
            }
        }
    }

    /// A block that begins in an included file ends with it.
    fn include(&mut self, tree: &Tree, pattern: &str, block: usize, depth: usize) {
        let pattern = Path::new("/etc/ssh").join(pattern);
        for path in expand(tree, &pattern) {
            if let Ok(text) = tree.read(&path) {
                let mut inner = block;
                self.lines(tree, &path, &text, &mut inner, depth + 1);
            }
        }
    }
}

impl<'a> View<'a> {
    /// Whether this is the one for everyone.
    pub(crate) fn is_global(self) -> bool {
        self.block == GLOBAL
    }

    /// Whether the block itself has a line with this place.
    pub(crate) fn owns(self, place: &Place) -> bool {
        let own = |line: &&Directive| line.block == self.block && line.place == *place;
        self.sshd.directives.iter().any(|line| own(&line))
    }

    /// Whom the block speaks of.
    pub(crate) fn criteria(self) -> &'a str {
        let block = self.sshd.blocks.get(self.block);
        block.map_or("", |block| &block.criteria)
    }

    /// The line that is in force for a keyword (in lower case).
    pub(crate) fn line(self, keyword: &str) -> Option<&'a Directive> {
        let named = |line: &&Directive| line.keyword == keyword;
        let in_block = |line: &&Directive| {
            line.block != GLOBAL
                && (line.block == self.block
                    || self.sshd.blocks.get(line.block).is_some_and(Block::is_all))
        };
        let lines = || self.sshd.directives.iter().filter(named);
        let matched = lines().find(in_block);
        matched.or_else(|| lines().find(|line| line.block == GLOBAL))
    }

    /// A keyword's first argument.
    pub(crate) fn value(self, keyword: &str) -> Option<&'a str> {
        self.line(keyword)?.arguments.first().map(String::as_str)
    }

    /// A switch; anything but `no` counts as yes.
    pub(crate) fn is_on(self, keyword: &str, default: bool) -> bool {
        self.value(keyword)
            .map_or(default, |value| !value.eq_ignore_ascii_case("no"))
    }
}

/// A line's keyword and arguments; `None` where it says nothing.
fn split(line: &str) -> Option<(String, Vec<String>)> {
    let line = line.trim();
    let end = line
        .find(|c: char| c.is_whitespace() || c == '=' || c == '"')
        .unwrap_or(line.len());
    let (word, rest) = line.split_at_checked(end)?;
    if word.is_empty() || word.starts_with('#') {
        return None;
    }
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('=').unwrap_or(rest);
    let keyword = match word.to_ascii_lowercase().as_str() {
        "challengeresponseauthentication" | "skeyauthentication" => {
            "kbdinteractiveauthentication".to_owned()
        }
        other => other.to_owned(),
    };
    Some((keyword, arguments(rest)))
}

/// Words, with quotes and a comment at the end.
fn arguments(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some(open), closing) if open == closing => quote = None,
            (None, '"' | '\'') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (_, '\\') if matches!(characters.peek(), Some('"' | '\'' | '\\')) => {
                word.get_or_insert_default().extend(characters.next());
            }
            (None, '#') if word.is_none() => break,
            (None, blank) if blank.is_whitespace() => words.extend(word.take()),
            (_, other) => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    words
}

/// A time such as `120`, `2m` or `1h30m`, in seconds.
pub(crate) fn seconds(text: &str) -> Option<u64> {
    let mut total: u64 = 0;
    let mut number: Option<u64> = None;
    for character in text.chars() {
        if let Some(digit) = character.to_digit(10) {
            let so_far = number.unwrap_or(0).checked_mul(10)?;
            number = Some(so_far.checked_add(u64::from(digit))?);
            continue;
        }
        let unit = match character.to_ascii_lowercase() {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86400,
            'w' => 604_800,
            _ => return None,
        };
        total = total.checked_add(number.take()?.checked_mul(unit)?)?;
    }
    total.checked_add(number.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn lines_are_split_as_sshd_does() {
        for (line, keyword, words) in [
            ("UsePAM yes", "usepam", &["yes"][..]),
            ("  usepam=yes # comment", "usepam", &["yes"]),
            ("UsePAM = \"yes\"", "usepam", &["yes"]),
            ("Banner \"/a b\" 'c d'", "banner", &["/a b", "c d"]),
            (
                "ForceCommand \"say \\\"x\\\"\"",
                "forcecommand",
                &["say \"x\""],
            ),
            (
                "ChallengeResponseAuthentication no",
                "kbdinteractiveauthentication",
                &["no"],
            ),
        ] {
            let (key, arguments) = split(line).unwrap();
            assert_eq!(key, keyword, "{line}");
            assert_eq!(arguments, words, "{line}");
        }
        assert!(split("# UsePAM no").is_none());
        assert!(split("   ").is_none());
    }

    #[test]
    fn times_are_read() {
        let read = |text| seconds(text);
        assert_eq!(read("120"), Some(120));
        assert_eq!(read("2m"), Some(120));
        assert_eq!(read("1h30m5"), Some(5405));
        assert_eq!(read("0"), Some(0));
        assert_eq!(read("soon"), None);
    }

    fn sshd(files: &[(&str, &str)]) -> Sshd {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join("etc/ssh").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Sshd::read(&Tree::new(root.path())).unwrap()
    }

    #[test]
    fn the_first_value_counts_and_included_files_come_in_order() {
        let sshd = sshd(&[
            (
                "sshd_config",
                "Include sshd_config.d/*.conf\nPort 1\nBanner c",
            ),
            ("sshd_config.d/b.conf", "Port 3\nBanner b"),
            ("sshd_config.d/a.conf", "Port 2\nMatch all\nBanner a"),
            ("sshd_config.d/.hidden.conf", "Port 4"),
        ]);
        let view = sshd.views().next().unwrap();
        assert_eq!(view.value("port"), Some("2"));
        // For everyone, and a block stands over the global lines.
        assert_eq!(view.value("banner"), Some("a"));
        let place = view.line("port").unwrap().place.to_string();
        assert_eq!(place, "/etc/ssh/sshd_config.d/a.conf:1");
    }

    #[test]
    fn a_block_of_an_included_file_ends_with_it() {
        let sshd = sshd(&[
            (
                "sshd_config",
                "Include x.conf\nUsePAM yes\nMatch User a\nInclude y.conf\nBanner no",
            ),
            ("x.conf", "Match User b\nUsePAM no"),
            ("y.conf", "Banner y"),
        ]);
        let views: Vec<View> = sshd.views().collect();
        assert_eq!(views.len(), 3);
        let of = |criteria: &str| *views.iter().find(|v| v.criteria() == criteria).unwrap();
        assert_eq!(of("").value("usepam"), Some("yes"));
        assert_eq!(of("User b").value("usepam"), Some("no"));
        assert_eq!(of("User a").value("banner"), Some("y"));
    }
}
