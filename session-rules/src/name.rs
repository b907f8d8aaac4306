//! The name by which a session type is known to others than this program.

/// The longest name.
const MAX: usize = 100;

/// Checks a `name = "..."`. It is a part of what keys are derived for, of the keys in Redis and of a folder's path, so
/// it is held to letters, digits, `-`, `_` and `.`.
///
/// # Errors
/// What to write instead.
///
/// ```
/// use session_rules::name::check;
/// assert!(check("shop-user").is_ok());
/// assert!(check("shop/user").is_err());
/// ```
pub fn check(name: &str) -> Result<(), String> {
    let example = "write for example `name = \"shop-user\"`";
    if name.is_empty() {
        return Err(format!("the name is empty; {example}, or remove the option"));
    }
    if let Some(bad) = name.chars().find(|c| !c.is_ascii_alphanumeric() && !"-_.".contains(*c)) {
        return Err(format!("{bad:?} can't stand in the name; use letters, digits, `-`, `_` and `.`: {example}"));
    }
    if name.starts_with('.') {
        return Err(format!("a name can't begin with a dot; {example}"));
    }
    if name.len() > MAX {
        return Err(format!("a name has at most {MAX} characters; {example}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_word_that_can_be_a_folder() {
        for good in ["user", "shop-user", "Shop.User_2", &"a".repeat(100)] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in ["", ".", "..", ".user", "shop/user", "../user", "a b", "a\0", "größe", "a:b", &"a".repeat(101)] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
