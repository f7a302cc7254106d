//! `sshd_config`, as sshd reads it: the first value of a keyword is used, `Include` includes other
//! files, and the values of a `Match` block override the global ones.

use std::path::Path;
use std::rc::Rc;

use super::include::expand;
use super::line::split;
use crate::finding::Place;
use crate::lint::tree::Tree;

/// Where it is.
pub(crate) const PATH: &str = "/etc/ssh/sshd_config";

/// How deep files may include others: sshd's own limit.
const DEPTH_LIMIT: usize = 16;

/// The block of the lines before the first `Match`.
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
    /// Whether it applies to all connections.
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

/// The settings that apply to the connections of one block.
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

    /// The settings for connections that no block matches, and for each block's connections.
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
    /// Whether these are the settings for connections that no block matches.
    pub(crate) fn is_global(self) -> bool {
        self.block == GLOBAL
    }

    /// Whether the block itself has a line with this place.
    pub(crate) fn owns(self, place: &Place) -> bool {
        let own = |line: &&Directive| line.block == self.block && line.place == *place;
        self.sshd.directives.iter().any(|line| own(&line))
    }

    /// Which connections the block matches.
    pub(crate) fn criteria(self) -> &'a str {
        let block = self.sshd.blocks.get(self.block);
        block.map_or("", |block| &block.criteria)
    }

    /// The line that is used for a keyword (in lower case).
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

    /// A switch; anything but `no` is taken for yes.
    pub(crate) fn is_on(self, keyword: &str, default: bool) -> bool {
        self.value(keyword)
            .map_or(default, |value| !value.eq_ignore_ascii_case("no"))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Sshd, View};
    use crate::lint::tree::Tree;

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
    fn the_first_value_is_used_and_included_files_come_in_order() {
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
        // Match all: it overrides the global lines.
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
