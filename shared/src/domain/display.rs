//! What people typed, made fit to stand beside other text: on one line, in its own direction, with nothing hidden in it.

use std::borrow::Cow;

use icu_properties::props::{
    CanonicalCombiningClass, DefaultIgnorableCodePoint, Emoji, EmojiModifier, ExtendedPictographic, GeneralCategory,
    Ideographic, JoiningType,
};
use icu_properties::{CodePointMapData, CodePointSetData};

/// More marks on one letter than any script writes reach into the lines above and below (UTS 39, 5.4).
const MOST_MARKS: usize = 8;

const ZERO_WIDTH_NON_JOINER: char = '\u{200c}';
const ZERO_WIDTH_JOINER: char = '\u{200d}';

/// Characters that turn the direction of what follows them: a name with one can pass for another (UTS 55).
pub(super) fn turns_text(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Characters after which a new line begins (UAX 14: BK, CR, LF, NL), in one program or another.
pub(super) fn breaks_line(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Characters that no text has: controls, and what Unicode keeps for a program's own use.
pub(super) fn is_no_text(c: char) -> bool {
    let code = u32::from(c);
    c.is_control() || code & 0xfffe == 0xfffe || (0xfdd0..=0xfdef).contains(&code)
}

/// Characters that show nothing by themselves.
fn is_invisible(c: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c) || matches!(c, '\u{fff9}'..='\u{fffb}')
}

/// Letters and signs that show as nothing, though Unicode counts them among those that show something.
fn is_blank(c: char) -> bool {
    matches!(
        c,
        '\u{115f}'
            | '\u{1160}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{ffa0}'
            | '\u{fffc}'
            | '\u{13441}'
            | '\u{13442}'
            | '\u{1d159}'
    )
}

/// Whether there is anything to see: white space, marks without a letter, and what is invisible are nothing.
pub(super) fn has_visible(text: &str) -> bool {
    use GeneralCategory as Is;
    let category = CodePointMapData::<GeneralCategory>::new();
    text.chars().any(|c| {
        let shows_nothing = matches!(
            category.get(c),
            Is::Control
                | Is::Format
                | Is::Surrogate
                | Is::SpaceSeparator
                | Is::LineSeparator
                | Is::ParagraphSeparator
                | Is::NonspacingMark
                | Is::SpacingMark
                | Is::EnclosingMark
        );
        !(shows_nothing || is_invisible(c) || is_blank(c) || is_no_text(c))
    })
}

/// Whether an invisible character changes how its neighbours are written, as in Persian, Hindi and families of emoji.
fn shapes(before: Option<char>, c: char, after: Option<char>) -> bool {
    let Some(before) = before else { return false };
    let joining = CodePointMapData::<JoiningType>::new();
    let joins = |c: char| {
        matches!(joining.get(c), JoiningType::DualJoining | JoiningType::LeftJoining | JoiningType::Transparent)
    };
    let is_joined = |c: char| matches!(joining.get(c), JoiningType::DualJoining | JoiningType::RightJoining);
    let pictures = CodePointSetData::new::<ExtendedPictographic>();
    match c {
        ZERO_WIDTH_JOINER | ZERO_WIDTH_NON_JOINER => {
            // RFC 5892, appendix A.1 and A.2.
            let virama =
                CodePointMapData::<CanonicalCombiningClass>::new().get(before) == CanonicalCombiningClass::Virama;
            let picture = c == ZERO_WIDTH_JOINER
                && (pictures.contains(before)
                    || before == '\u{fe0f}'
                    || CodePointSetData::new::<EmojiModifier>().contains(before));
            virama && after.is_some()
                || joins(before) && after.is_some_and(is_joined)
                || picture && after.is_some_and(|after| pictures.contains(after))
        }
        '\u{fe0e}' | '\u{fe0f}' => {
            let emoji = CodePointSetData::new::<Emoji>().contains(before);
            emoji && (!before.is_ascii() || after == Some('\u{20e3}'))
        }
        '\u{fe00}'..='\u{fe0d}' | '\u{e0100}'..='\u{e01ef}' => CodePointSetData::new::<Ideographic>().contains(before),
        '\u{180b}'..='\u{180d}' | '\u{180f}' => joining.get(before) == JoiningType::DualJoining,
        _ => false,
    }
}

/// The text without what nobody sees in it, and without more marks on a letter than any script has.
pub(super) fn without_invisible(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let category = CodePointMapData::<GeneralCategory>::new();
    let (mut kept, mut last, mut marks) = (String::with_capacity(text.len()), None, 0);
    for (at, c) in text.char_indices() {
        let is_mark = matches!(category.get(c), GeneralCategory::NonspacingMark | GeneralCategory::EnclosingMark);
        marks = if is_mark { marks + 1 } else { 0 };
        let mut following = text[at + c.len_utf8()..].chars();
        let hidden = is_invisible(c) && !shapes(last, c, following.find(|c| !is_invisible(*c)));
        if hidden || marks > MOST_MARKS {
            continue;
        }
        kept.push(c);
        last = Some(c);
    }
    Cow::Owned(kept)
}

/// The text on one line: no line break or control character, nothing that turns the direction, nothing invisible.
/// This is what a template, a header or a list shows of a text that somebody typed.
#[must_use]
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    let mut space = None;
    for c in without_invisible(text).chars() {
        if c.is_whitespace() || is_no_text(c) {
            // A space of a width of its own stays (`5 MB`, French before `:`), unless there are several.
            let kept = if space.is_none() && !c.is_control() && !breaks_line(c) && c.is_whitespace() { c } else { ' ' };
            space = Some(kept);
            continue;
        }
        line.extend(space.take().filter(|_| !line.is_empty()));
        line.push(c);
    }
    line
}

/// The lines of a text of several, each fit to be shown; empty ones among them stay.
#[must_use]
pub fn lines(text: &str) -> Vec<String> {
    let lines = text.split('\n').map(one_line).collect::<Vec<_>>();
    let first = lines.iter().position(|line| !line.is_empty()).unwrap_or(lines.len());
    let end = lines.iter().rposition(|line| !line.is_empty()).map_or(first, |last| last + 1);
    lines[first..end].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Text with what is hidden, what breaks lines and what turns them thrown in.
    fn hostile() -> impl Strategy<Value = String> {
        let signs: Vec<char> = "\u{200b}\u{200c}\u{200d}\u{200e}\u{200f}\u{202a}\u{202e}\u{2066}\u{2069}\u{2028}\u{2029}\u{85}\u{b}\u{c}\r\n\t\0\u{7f}\u{9f}\u{ad}\u{34f}\u{61c}\u{115f}\u{180e}\u{180b}\u{2060}\u{2800}\u{3164}\u{fe0f}\u{feff}\u{ffa0}\u{fff9}\u{ffff}\u{e0001}\u{e0100}\u{301}\u{489}\u{a0}\u{3000}می辻👩🚢क्ष1#"
            .chars()
            .collect();
        let sign = prop_oneof![proptest::sample::select(signs), any::<char>(), proptest::char::range('a', 'z')];
        proptest::collection::vec(sign, 0..40).prop_map(|signs| signs.into_iter().collect())
    }

    proptest! {
        #[test]
        fn a_line_is_one_line_and_hides_nothing(text in hostile()) {
            let line = one_line(&text);
            prop_assert!(!line.chars().any(|c| breaks_line(c) || turns_text(c) || is_no_text(c)), "{line:?}");
            prop_assert_eq!(line.trim(), &line);
            prop_assert_eq!(one_line(&line), line.clone());
            let hidden = |(at, c): (usize, char)| {
                let after = line[at + c.len_utf8()..].chars().find(|c| !is_invisible(*c));
                is_invisible(c) && !shapes(line[..at].chars().next_back(), c, after)
            };
            prop_assert!(!line.char_indices().any(hidden), "{line:?}");
        }

        #[test]
        fn what_can_be_seen_stays(text in "[a-zA-Z0-9äöüßéčłøžñ ,.&()'-]{0,60}") {
            prop_assert_eq!(one_line(&text), text.split_whitespace().collect::<Vec<_>>().join(" "));
        }
    }

    #[test]
    fn what_shapes_its_neighbours_stays() {
        for text in ["می‌خواهم", "क्‍ष", "👩🏽‍✈️", "1️⃣", "辻󠄀", "Zoë\u{a0}Bold", "Li\u{301}"]
        {
            assert_eq!(one_line(text), text);
        }
        for (text, line) in [
            ("A\u{200b}n\u{200d}n\u{ad}", "Ann"),
            ("a\u{200c}b", "ab"),
            ("gpj\u{202e}exe", "gpjexe"),
            ("a\u{2028}b\r\n\u{85}c", "a b c"),
            (
                "a\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
                "a\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
            ),
        ] {
            assert_eq!(one_line(text), line);
        }
    }

    #[test]
    fn nothing_visible_is_nothing() {
        for text in [
            "",
            " ",
            "\u{a0}\u{3000}",
            "\u{200b}",
            "\u{200d}\u{200c}",
            "\u{2060}\u{feff}",
            "\u{ad}",
            "\u{34f}",
            "\u{115f}",
            "\u{1160}",
            "\u{17b4}",
            "\u{180e}",
            "\u{2800}",
            "\u{3164}",
            "\u{ffa0}",
            "\u{fe0f}",
            "\u{e0020}",
            "\u{1d173}",
            "\u{1d159}",
            "\u{301}\u{302}",
            "\u{20dd}",
            "\u{93e}",
            "\u{fff9}",
            "\u{fffe}",
            "\u{200e}\u{2800} \u{301}",
        ] {
            assert!(!has_visible(text), "{text:?}");
        }
        for text in ["a", "1", "?", "Ł", "李", "🚢", "\u{200b}a", "ا"] {
            assert!(has_visible(text), "{text:?}");
        }
    }

    #[test]
    fn empty_lines_between_lines_stay() {
        assert_eq!(lines("\n \na\n\n\nb\u{2028}c\n"), ["a", "", "", "b c"]);
        assert!(lines(" \n").is_empty());
    }
}
