//! The keys `send_gecos`, `gecos_delim` and `gecos_username_pos`: the Duo user name from the GECOS
//! field.

/// How the Duo user name is found in the GECOS field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gecos {
    /// What separates the field's parts.
    pub delimiter: char,
    /// Which part is the name, from 1; `None` takes the whole field.
    pub position: Option<u32>,
}

/// Why the GECOS field holds no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GecosProblem {
    /// The field is empty.
    #[error("the GECOS field is empty")]
    Empty,
    /// The field has fewer parts, or an empty one.
    #[error("the GECOS field has nothing at gecos_username_pos")]
    NoSuchPart,
}

impl Gecos {
    /// The name in `field`.
    ///
    /// # Errors
    /// [`GecosProblem`] if there is none; the Unix name then stands in.
    pub fn name(self, field: &str) -> Result<&str, GecosProblem> {
        if field.trim().is_empty() {
            return Err(GecosProblem::Empty);
        }
        let part = match self.position {
            None => field,
            Some(position) => {
                let index = usize::try_from(position)
                    .unwrap_or(usize::MAX)
                    .saturating_sub(1);
                field
                    .split(self.delimiter)
                    .nth(index)
                    .ok_or(GecosProblem::NoSuchPart)?
            }
        };
        match part.trim() {
            "" => Err(GecosProblem::NoSuchPart),
            name => Ok(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Gecos, GecosProblem};

    #[test]
    fn the_name_is_found_at_its_position_or_not_at_all() {
        let at = |delimiter, position| Gecos {
            delimiter,
            position,
        };
        for (gecos, field, expected) in [
            (at(',', None), "alice@example.com", Ok("alice@example.com")),
            (at(',', None), "Alice,1,2", Ok("Alice,1,2")),
            (at(',', None), "", Err(GecosProblem::Empty)),
            (at(',', None), "   ", Err(GecosProblem::Empty)),
            (at(',', Some(1)), "alice,room", Ok("alice")),
            (at(',', Some(2)), "alice, asmith ", Ok("asmith")),
            (at('/', Some(3)), "a/b/c", Ok("c")),
            (at(',', Some(4)), "a,b,c", Err(GecosProblem::NoSuchPart)),
            (at(',', Some(2)), "a,,c", Err(GecosProblem::NoSuchPart)),
            (at(',', Some(u32::MAX)), "a", Err(GecosProblem::NoSuchPart)),
        ] {
            assert_eq!(gecos.name(field), expected, "{gecos:?} on {field:?}");
        }
    }
}
