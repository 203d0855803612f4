//! Texts as they are compared: without case, accents, width, or what cannot be seen.

use icu_casemap::CaseMapper;
use icu_normalizer::DecomposingNormalizerBorrowed;
use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};

/// Stretches a word in Arabic script, and means nothing.
const TATWEEL: char = '\u{640}';

/// A text as it is sorted and searched: compatibility forms (NFKD), full case folding (Unicode 3.13), no marks, no
/// ignorable characters, and plain letters for those that Unicode does not take apart (CLDR, Latin-ASCII).
#[must_use]
pub fn fold(text: &str) -> String {
    let nfkd = DecomposingNormalizerBorrowed::new_nfkd();
    // Folding may bring what can be taken apart once more, and that may have a case again.
    let once = CaseMapper::new().fold_string(&nfkd.normalize(text)).into_owned();
    let twice = CaseMapper::new().fold_string(&nfkd.normalize(&once)).into_owned();
    let (category, ignorable) =
        (CodePointMapData::<GeneralCategory>::new(), CodePointSetData::new::<DefaultIgnorableCodePoint>());
    let mark = |c| matches!(category.get(c), GeneralCategory::NonspacingMark | GeneralCategory::EnclosingMark);
    let mut folded = String::with_capacity(twice.len());
    for c in nfkd.normalize(&twice).chars().filter(|c| *c != TATWEEL && !ignorable.contains(*c) && !mark(*c)) {
        match plain(c) {
            Some(letters) => folded.push_str(letters),
            None => folded.push(c),
        }
    }
    folded
}

/// The plain letters of a lower-case Latin letter that has no decomposition: what CLDR's Latin-ASCII gives for it.
fn plain(c: char) -> Option<&'static str> {
    if c.is_ascii() {
        return None;
    }
    Some(match c {
        'ⱥ' | 'ᶏ' => "a",
        'ƀ' | 'ƃ' | 'ɓ' | 'ᵬ' | 'ᶀ' | 'ʙ' | 'ᴃ' => "b",
        'ƈ' | 'ȼ' | 'ɕ' | 'ᴄ' => "c",
        'ð' | 'đ' | 'ƌ' | 'ȡ' | 'ɖ' | 'ɗ' | 'ᵭ' | 'ᶁ' | 'ᶑ' | 'ᴅ' | 'ᴆ' | 'ꝱ' | 'ꝺ' => "d",
        'ɇ' | 'ɛ' | 'ᶒ' | 'ᶓ' | 'ⱸ' | 'ᴇ' => "e",
        'ƒ' | 'ᵮ' | 'ᶂ' | 'ꜰ' | 'ꝼ' => "f",
        'ǥ' | 'ɠ' | 'ɡ' | 'ɢ' | 'ʛ' | 'ᶃ' => "g",
        'ħ' | 'ɦ' | 'ɧ' | 'ʜ' | 'ⱨ' => "h",
        'ı' | 'ɨ' | 'ɩ' | 'ɪ' | 'ᶖ' | 'ᵻ' => "i",
        'ȷ' | 'ɉ' | 'ɟ' | 'ʝ' | 'ᴊ' => "j",
        'ƙ' | 'ᶄ' | 'ⱪ' | 'ꝁ' | 'ꝃ' | 'ꝅ' | 'ᴋ' => "k",
        'ł' | 'ƚ' | 'ȴ' | 'ɫ' | 'ɬ' | 'ɭ' | 'ʟ' | 'ᴌ' | 'ᶅ' | 'ⱡ' | 'ꝇ' | 'ꝉ' | 'ꝲ' => "l",
        'ɱ' | 'ᵯ' | 'ᶆ' | 'ᴍ' | 'ꝳ' => "m",
        'ŋ' | 'ƞ' | 'ȵ' | 'ɲ' | 'ɳ' | 'ɴ' | 'ᵰ' | 'ᶇ' | 'ꝴ' => "n",
        'ø' | 'ꝋ' | 'ꝍ' | 'ⱺ' | 'ᴏ' => "o",
        'ƥ' | 'ᵱ' | 'ᵽ' | 'ᶈ' | 'ꝑ' | 'ꝓ' | 'ꝕ' | 'ᴘ' => "p",
        'ĸ' | 'ʠ' | 'ꝗ' | 'ꝙ' => "q",
        'ɍ' | 'ɼ' | 'ɽ' | 'ɾ' | 'ʀ' | 'ᵲ' | 'ᵳ' | 'ᶉ' | 'ꝵ' | 'ꝶ' => "r",
        'ȿ' | 'ʂ' | 'ᵴ' | 'ᶊ' | 'ẜ' | 'ẝ' | 'ꜱ' => "s",
        'ŧ' | 'ƫ' | 'ƭ' | 'ʈ' | 'ȶ' | 'ⱦ' | 'ᵵ' | 'ꝷ' | 'ᴛ' => "t",
        'ʉ' | 'ᶙ' | 'ᵾ' | 'ᴜ' => "u",
        'ʋ' | 'ᶌ' | 'ⱱ' | 'ⱴ' | 'ỽ' | 'ꝟ' | 'ᴠ' => "v",
        'ⱳ' | 'ᴡ' => "w",
        'ᶍ' => "x",
        'ƴ' | 'ɏ' | 'ỿ' | 'ʏ' => "y",
        'ƶ' | 'ȥ' | 'ɀ' | 'ʐ' | 'ʑ' | 'ⱬ' | 'ᵶ' | 'ᶎ' | 'ᴢ' => "z",
        'æ' | 'ᴁ' => "ae",
        'œ' | 'ɶ' => "oe",
        'þ' | 'ꝥ' | 'ꝧ' | 'ᵺ' => "th",
        'ʣ' | 'ʥ' => "dz",
        'ꜹ' | 'ꜻ' => "av",
        'ƕ' => "hv",
        'ƣ' => "oi",
        'ȸ' => "db",
        'ȹ' => "qp",
        'ʦ' => "ts",
        'ʪ' => "ls",
        'ʫ' => "lz",
        'ᵫ' => "ue",
        'ỻ' => "ll",
        'ꜳ' => "aa",
        'ꜵ' => "ao",
        'ꜷ' => "au",
        'ꜽ' => "ay",
        'ꝏ' => "oo",
        'ꝡ' => "vy",
        // Letters that stand for an apostrophe, which ends a word however it is typed.
        '\u{2b9}'..='\u{2c1}' | '\u{2c6}'..='\u{2d1}' | '\u{2ec}' | '\u{2ee}' => "'",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn letters_are_what_a_reader_types() {
        for (text, folded) in [
            ("Ünïcode GmbH & Œuvre", "unicode gmbh & oeuvre"),
            ("STRAẞE Straße", "strasse strasse"),
            ("Łódź Øresund Đorđe ığdır IĞDIR İzmir", "lodz oresund dorde igdir igdir izmir"),
            ("Þór Ærø Ħamrun", "thor aero hamrun"),
            ("ＡＢＣ １２３ ﾊﾝｶｸ", "abc 123 ハンカク"),
            ("ﬃ ① ²", "ffi 1 2"),
            ("ΟΔΥΣΣΕΎΣ Ὀδυσσεύς ᾳ ΑΙ", "οδυσσευσ οδυσσευσ αι αι"),
            ("Ёлка", "елка"),
            ("مـــحمد مُحَمَّد", "محمد محمد"),
            ("co\u{ad}operate\u{200b}", "cooperate"),
        ] {
            assert_eq!(fold(text), DecomposingNormalizerBorrowed::new_nfkd().normalize(folded), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_folded_folds_to_itself(text in "\\PC{0,40}") {
            let folded = fold(&text);
            prop_assert_eq!(fold(&folded), folded);
        }

        #[test]
        fn case_and_form_do_not_matter(text in "[\\p{L}\\p{M}\\p{N} ]{0,30}") {
            use icu_normalizer::ComposingNormalizerBorrowed as Composing;
            let folded = fold(&text);
            prop_assert_eq!(fold(&Composing::new_nfc().normalize(&text)), folded.clone());
            prop_assert_eq!(fold(&Composing::new_nfkc().normalize(&text)), folded.clone());
            prop_assert_eq!(fold(&DecomposingNormalizerBorrowed::new_nfd().normalize(&text)), folded.clone());
            prop_assert_eq!(fold(&text.to_lowercase()), folded.clone());
        }
    }
}
