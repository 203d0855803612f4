//! Which language a page speaks: the one that was chosen in this browser, else the one that the browser asks for.

/// The cookie in which the pages keep what was chosen; it is no secret.
const COOKIE: &str = "gatehouse_language";

/// One of the languages that the operator offers; the first, if none fits.
pub(crate) fn spoken<'l>(offered: &'l [String], cookies: &str, accept: &str) -> Option<&'l str> {
    let offers = |tag: &str| {
        let primary = tag.split('-').next().unwrap_or_default();
        offered.iter().find(|one| one.eq_ignore_ascii_case(primary)).map(String::as_str)
    };
    let mut jar = cookie::Cookie::split_parse(cookies).filter_map(Result::ok);
    let chosen = jar.find(|cookie| cookie.name() == COOKIE).and_then(|cookie| offers(cookie.value()));
    let mut asked: Vec<(&str, f32)> = accept.split(',').map(weighed).filter(|(_, weight)| *weight > 0.0).collect();
    asked.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    chosen.or_else(|| asked.iter().find_map(|(tag, _)| offers(tag))).or(offered.first().map(String::as_str))
}

/// `de-CH;q=0.8` (RFC 9110 §12.5.4).
fn weighed(one: &str) -> (&str, f32) {
    let (tag, weight) = one.split_once(';').unwrap_or((one, "q=1"));
    (tag.trim(), weight.trim().strip_prefix("q=").and_then(|weight| weight.parse().ok()).unwrap_or(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chosen_language_goes_before_the_browsers_and_both_must_be_offered() {
        let offered = ["en", "de", "fr"].map(str::to_owned);
        let spoken = |cookies, accept| spoken(&offered, cookies, accept).unwrap();
        assert_eq!(spoken("a=b; gatehouse_language=fr", "de"), "fr");
        assert_eq!(spoken("gatehouse_language=es", "pt, de-CH;q=0.8, fr;q=0.9"), "fr");
        assert_eq!(spoken("", "DE-de"), "de");
        assert_eq!(spoken("", "fr;q=0, de;q=0.1"), "de");
        assert_eq!(spoken("", "pt"), "en");
        assert_eq!(spoken("", ""), "en");
    }
}
