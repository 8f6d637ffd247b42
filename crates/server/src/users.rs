//! Users that exist from the start: configured, given on the command line, or the first one.

use crate::auth::verifier;
use crate::config::Config;
use crate::settings;
use wharf_broker::{Definition, Permission};

/// The user that is made when there is none.
pub(crate) const FIRST_USER: &str = "admin";

/// A user of the command line, who may do everything.
#[derive(Clone)]
pub(crate) struct Given {
    /// Login name.
    pub(crate) name: String,
    /// The password itself; only its verifier is kept.
    pub(crate) password: String,
}

/// What the operator must be told once.
#[derive(Default)]
pub(crate) struct Announcement {
    /// The password of [`FIRST_USER`], if it was made now.
    pub(crate) first_password: Option<String>,
}

/// Decides which users to define, knowing those that exist.
///
/// # Errors
/// The system gave no randomness.
pub(crate) fn settle<'a>(
    existing: impl Iterator<Item = (&'a str, &'a str)>,
    config: &Config,
    given: &[Given],
) -> Result<(Vec<Definition>, Announcement), String> {
    let existing: Vec<(&str, &str)> = existing.collect();
    let mut definitions = Vec::new();
    for user in &config.users {
        if user.password_verifier.is_empty() {
            definitions.push(Definition::RemoveUser { name: user.name.clone() });
            continue;
        }
        definitions.push(Definition::PutUser {
            name: user.name.clone(),
            verifier: user.password_verifier.clone(),
            permissions: settings::permissions(user),
        });
    }
    for user in given {
        // The same password again changes nothing: what is remembered of it stays valid. Only a
        // verifier of an older form is made anew.
        let known = existing
            .iter()
            .any(|&(name, kept)| name == user.name && verifier::is_current(&user.password, kept));
        if !known {
            definitions.push(administrator(&user.name, &user.password)?);
        }
    }
    let mut announcement = Announcement::default();
    let adds = definitions.iter().any(|one| matches!(one, Definition::PutUser { .. }));
    if existing.is_empty() && !adds {
        let password = crate::entropy::password();
        definitions.push(administrator(FIRST_USER, &password)?);
        announcement.first_password = Some(password);
    }
    Ok((definitions, announcement))
}

fn administrator(name: &str, password: &str) -> Result<Definition, String> {
    Ok(Definition::PutUser {
        name: name.to_owned(),
        verifier: verifier::of_password(password)?,
        permissions: vec![Permission::all()],
    })
}

#[cfg(test)]
mod tests {
    use super::{FIRST_USER, Given, settle};
    use crate::auth::verifier;
    use crate::config::{Config, UserEntry};
    use std::iter::empty;
    use wharf_broker::{Definition, Permission};

    fn put(definition: &Definition) -> (&str, &str, &[Permission]) {
        match definition {
            Definition::PutUser { name, verifier, permissions } => (name, verifier, permissions),
            Definition::RemoveUser { .. } => panic!("no user is removed"),
        }
    }

    #[test]
    fn the_first_start_makes_an_administrator_and_says_the_password_once() {
        let (definitions, announcement) = settle(empty(), &Config::default(), &[]).unwrap();
        let password = announcement.first_password.unwrap();
        let (name, kept, permissions) = put(&definitions[0]);
        assert_eq!((name, permissions), (FIRST_USER, [Permission::all()].as_slice()));
        assert!(verifier::verify(password.as_bytes(), kept));
        let again = settle([(name, kept)].into_iter(), &Config::default(), &[]).unwrap();
        assert!(again.0.is_empty() && again.1.first_password.is_none());
    }

    #[test]
    fn an_empty_verifier_removes() {
        let mut config = Config::default();
        config.users.push(UserEntry { name: "bob".to_owned(), ..UserEntry::default() });
        let (definitions, _) = settle([("bob", "x")].into_iter(), &config, &[]).unwrap();
        assert_eq!(definitions, [Definition::RemoveUser { name: "bob".to_owned() }]);
    }

    #[test]
    fn users_that_are_given_come_instead() {
        let mut config = Config::default();
        config.users.push(UserEntry {
            name: "bob".to_owned(),
            password_verifier: "x".to_owned(),
            permissions: Vec::new(),
        });
        let given = Given { name: "ada".to_owned(), password: "secret".to_owned() };
        let (definitions, announcement) =
            settle(empty(), &config, std::slice::from_ref(&given)).unwrap();
        assert!(announcement.first_password.is_none());
        let names: Vec<&str> = definitions.iter().map(|d| put(d).0).collect();
        assert_eq!(names, ["bob", "ada"]);
        // Unchanged on the next start.
        let kept = put(&definitions[1]).1;
        let again = settle([("ada", kept)].into_iter(), &Config::default(), &[given]).unwrap();
        assert!(again.0.is_empty());
        // A verifier without keys is made anew, once.
        let given = Given { name: "ada".to_owned(), password: "secret".to_owned() };
        let older = kept.split_once(' ').unwrap().0;
        let again = settle([("ada", older)].into_iter(), &Config::default(), &[given]).unwrap();
        assert!(verifier::is_current("secret", put(&again.0[0]).1));
    }
}
