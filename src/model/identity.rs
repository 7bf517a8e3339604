//! Who a patient and an organisation are: types that cannot be wrong and that do not print.

use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// An NHS number: ten digits whose last is the Modulus 11 check digit (NHS Data Dictionary, NHS NUMBER).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct NhsNumber(String);

/// A text is not the identity it should be. Says the rule, never the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FaultyIdentity {
    /// Not ten digits.
    #[error("an NHS number has ten digits")]
    NhsNumberForm,
    /// The check digit is wrong.
    #[error("the NHS number's check digit (Modulus 11) is wrong")]
    NhsNumberCheckDigit,
    /// Ten zeros, which systems write where they know none.
    #[error("ten zeros stand for an unknown NHS number and are nobody's")]
    NhsNumberPlaceholder,
    /// Not three to ten upper-case letters and digits.
    #[error("an ODS code has three to ten upper-case letters and digits")]
    OdsCodeForm,
}

impl NhsNumber {
    /// Reads ten digits, spaces and hyphens between them allowed as people write them.
    pub fn parse(text: &str) -> Result<Self, FaultyIdentity> {
        let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '\u{a0}')).collect();
        if digits.len() != 10 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(FaultyIdentity::NhsNumberForm);
        }
        let sum: u32 =
            digits.bytes().take(9).zip((2..=10).rev()).map(|(byte, weight)| u32::from(byte - b'0') * weight).sum();
        let check = match 11 - sum % 11 {
            11 => 0,
            10 => return Err(FaultyIdentity::NhsNumberCheckDigit),
            digit => digit,
        };
        if digits.as_bytes().get(9).map(|byte| u32::from(byte - b'0')) != Some(check) {
            return Err(FaultyIdentity::NhsNumberCheckDigit);
        }
        // Its check digit is right, so that it would make one patient of all whose number is not known.
        if digits.bytes().all(|byte| byte == b'0') {
            return Err(FaultyIdentity::NhsNumberPlaceholder);
        }
        Ok(NhsNumber(digits))
    }

    /// The ten digits. For storing and sending only; never for a log, a metric or an error.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for NhsNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NhsNumber(**********)")
    }
}

impl<'de> Deserialize<'de> for NhsNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        NhsNumber::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// An ODS code: an organisation or site in the national register.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct OdsCode(String);

impl OdsCode {
    /// Reads three to ten upper-case letters and digits.
    pub fn parse(text: &str) -> Result<Self, FaultyIdentity> {
        let fits = (3..=10).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        if fits { Ok(OdsCode(text.to_owned())) } else { Err(FaultyIdentity::OdsCodeForm) }
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OdsCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for OdsCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        OdsCode::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// Words about or from a patient: a name, a note. Carried and kept, never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Words(String);

impl Words {
    /// The words. For storing and sending only.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Words {
    fn from(text: &str) -> Self {
        Words(text.to_owned())
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Words(masked)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_digit_is_checked() {
        for good in ["9990000018", "999 000 0026", "999-000-0034"] {
            assert!(NhsNumber::parse(good).is_ok(), "{good}");
        }
        for (bad, why) in [
            ("9990000019", FaultyIdentity::NhsNumberCheckDigit),
            ("999000001", FaultyIdentity::NhsNumberForm),
            ("99900000180", FaultyIdentity::NhsNumberForm),
            ("99900000a8", FaultyIdentity::NhsNumberForm),
            ("", FaultyIdentity::NhsNumberForm),
            ("0000000000", FaultyIdentity::NhsNumberPlaceholder),
            ("000 000 0000", FaultyIdentity::NhsNumberPlaceholder),
        ] {
            assert_eq!(NhsNumber::parse(bad).unwrap_err(), why, "{bad}");
        }
    }

    #[test]
    fn an_nhs_number_does_not_print() {
        let number = NhsNumber::parse("9990000018").unwrap();
        assert!(!format!("{number:?}").contains("999"));
    }

    #[test]
    fn ods_codes_have_their_shape() {
        assert!(OdsCode::parse("RTD").is_ok());
        assert!(OdsCode::parse("A1001").is_ok());
        assert!(OdsCode::parse("rtd").is_err());
        assert!(OdsCode::parse("RT").is_err());
    }
}
