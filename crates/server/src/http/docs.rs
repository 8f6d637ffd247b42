//! The documentation, out of the binary: `/docs/` and what is below it, under the names that the
//! files have in the repository.

use pulldown_cmark::{CowStr, Event, LinkType, Options, Parser, Tag, TagEnd, html};
use std::fmt::Write;

include!(concat!(env!("OUT_DIR"), "/docs.rs"));

/// What the paths begin with.
const PREFIX: &str = "/docs/";

/// The page of a path, if it is one.
pub(super) fn find(path: &str) -> Option<String> {
    let name = path.strip_prefix(PREFIX)?;
    let name = match name.strip_suffix('/').unwrap_or(name) {
        "" => "README.md",
        folder if is_folder(folder) => return find(&format!("{PREFIX}{folder}/README.md")),
        name => name,
    };
    let (name, text) = PAGES.iter().find(|(known, _)| *known == name)?;
    Some(page(name, text))
}

/// Whether a folder has a page of its own.
fn is_folder(name: &str) -> bool {
    PAGES.iter().any(|(known, _)| known.strip_suffix("/README.md") == Some(name))
}

fn page(name: &str, text: &str) -> String {
    let mut page = String::with_capacity(text.len() * 2);
    let title = escaped(title_of(text));
    // Writing to a string does not fail.
    let _ = write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title} - Wharf</title>\n\
         <link rel=\"stylesheet\" href=\"/docs/style.css\">\n<nav aria-label=\"Documentation\">\n"
    );
    list(&mut page, name);
    page += "</nav>\n<main>\n";
    html::push_html(&mut page, rendered(name, text).into_iter());
    page += "</main>\n</html>\n";
    page
}

/// All pages, by folder.
fn list(page: &mut String, current: &str) {
    let mut folder = "";
    page.push_str("<ul>\n");
    for (name, text) in PAGES {
        let within = name.rsplit_once('/').map_or("", |(within, _)| within);
        if within != folder {
            folder = within;
            let _ = write!(page, "</ul>\n<p>{folder}</p>\n<ul>\n");
        }
        let here = if *name == current { " aria-current=\"page\"" } else { "" };
        let title = escaped(title_of(text));
        let _ = writeln!(page, "<li><a href=\"{PREFIX}{name}\"{here}>{title}</a></li>");
    }
    page.push_str("</ul>\n");
}

fn title_of(text: &str) -> &str {
    text.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or("Wharf")
}

/// Headings get names that links lead to; what is not here is named and not linked, and pictures
/// are what they are called.
fn rendered<'t>(name: &str, text: &'t str) -> Vec<Event<'t>> {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    let mut events: Vec<Event<'t>> = Parser::new_ext(text, options).collect();
    let mut open = Vec::new();
    for at in 0..events.len() {
        match &events[at] {
            Event::Start(Tag::Heading { .. }) => {
                let id = slug(&events[at + 1..]);
                if let Event::Start(Tag::Heading { id: own, .. }) = &mut events[at] {
                    *own = Some(CowStr::from(id));
                }
            }
            Event::Start(Tag::Link { dest_url, link_type, .. }) => {
                let leads = *link_type == LinkType::Email || leads_somewhere(name, dest_url);
                open.push(leads);
                if !leads {
                    events[at] = Event::Text(CowStr::Borrowed(""));
                }
            }
            Event::End(TagEnd::Link) if open.pop() == Some(false) => {
                events[at] = Event::Text(CowStr::Borrowed(""));
            }
            Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => {
                events[at] = Event::Text(CowStr::Borrowed(""));
            }
            // The files hold none; what is written as HTML is shown as text.
            Event::Html(raw) | Event::InlineHtml(raw) => events[at] = Event::Text(raw.clone()),
            _ => {}
        }
    }
    events
}

/// The name of a heading, as forges make it: lower case, dashes, letters and digits.
fn slug(events: &[Event<'_>]) -> String {
    let mut slug = String::new();
    for event in events {
        match event {
            Event::End(TagEnd::Heading(_)) => break,
            Event::Text(text) | Event::Code(text) => {
                for one in text.chars() {
                    match one {
                        ' ' => slug.push('-'),
                        '-' | '_' => slug.push(one),
                        _ if one.is_alphanumeric() => slug.extend(one.to_lowercase()),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    slug
}

/// Whether a link of a page leads to another page, to a part of one, or to elsewhere in the web.
fn leads_somewhere(from: &str, link: &str) -> bool {
    if link.starts_with('#') || link.starts_with("https://") {
        return true;
    }
    let link = link.split('#').next().unwrap_or_default();
    let mut path: Vec<&str> = from.split('/').collect();
    path.pop();
    for part in link.split('/').filter(|part| !matches!(*part, "" | ".")) {
        if part != ".." {
            path.push(part);
        } else if path.pop().is_none() {
            return false;
        }
    }
    let path = path.join("/");
    is_folder(&path) || PAGES.iter().any(|(known, _)| *known == path)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::{PAGES, find, page};

    #[test]
    fn every_page_is_found_and_lists_the_others() {
        for (name, _) in PAGES {
            let page = find(&format!("/docs/{name}")).unwrap();
            assert_eq!(page.matches("<li><a href=\"/docs/").count(), PAGES.len(), "{name}");
            assert_eq!(page.matches("aria-current").count(), 1, "{name}");
        }
        for path in ["/docs", "/docs/nothing.md", "/docs/../Cargo.toml", "/doc/"] {
            assert!(find(path).is_none(), "{path}");
        }
        assert_eq!(find("/docs/operations/"), find("/docs/operations/README.md"));
    }

    #[test]
    fn text_becomes_a_page_without_scripts() {
        let text = "# A & <b>\n\n## The `x-y` of 3\n\n[here](../protocols/mbws.md#a) [gone](../../x.rs) \
                    [part](#p) ![a picture](p.png) <script>alert(1)</script>\n\n| a |\n|---|\n| b |\n";
        let page = page("guides/a.md", text);
        let main = page.split("<main>").nth(1).unwrap();
        for part in [
            "<h2 id=\"the-x-y-of-3\">",
            "<a href=\"../protocols/mbws.md#a\">here</a>",
            " gone ",
            "<a href=\"#p\">part</a> a picture ",
            "&lt;script&gt;",
            "<td>b</td>",
        ] {
            assert!(main.contains(part), "{part}: {main}");
        }
        assert!(page.contains("<title>A &amp; &lt;b&gt; - Wharf</title>"), "{page}");
    }
}
