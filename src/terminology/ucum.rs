//! Whether a code is a unit of the Unified Code for Units of Measure (UCUM, case-sensitive form): its grammar and the
//! symbols that it is made of.

/// How deep parentheses may stand in one another.
const DEPTH_MAX: u32 = 8;
/// The most digits of a number or an exponent.
const DIGIT_COUNT_MAX: usize = 12;

const PREFIXES: &[&str] = &[
    "da", "Ki", "Mi", "Gi", "Ti", "Q", "R", "Y", "Z", "E", "P", "T", "G", "M", "k", "h", "d", "c", "m", "u", "n", "p",
    "f", "a", "z", "y", "r", "q",
];

/// Symbols that take a prefix.
const METRIC: &str = "m s g mho rad K C cd mol sr Hz N Pa J W A V F Ohm S Wb Cel T H lm lx Bq Gy Sv l L ar t bar u eV pc gf Ky Gal dyn erg \
    P Bi St Mx G Oe Gb sb Lmb ph Ci R RAD REM cal cal_[15] cal_[20] cal_m cal_IT cal_th tex m[H2O] m[Hg] eq osm g% \
    kat U [iU] [IU] [ka'U] [knk'U] [mclg'U] [arb'U] [USP'U] [GPL'U] [MPL'U] [APL'U] [beth'U] [anti'Xa'U] [todd'U] \
    [dye'U] [smgy'U] [bdsk'U] [tb'U] [CCID_50] [TCID_50] [EID_50] [PFU] [FFU] [CFU] [IR] [BAU] [Amb'a'1'U] [PNU] \
    [Lf] [D'ag'U] [FEU] [ELU] Np B B[SPL] B[V] B[mV] B[uV] B[10.nV] B[W] B[kW] bit_s bit By Bd [c] [h] [k] [eps_0] \
    [mu_0] [e] [m_e] [m_p] [G] [g] [ly] st";

/// Symbols that do not.
const PLAIN: &str = "10* 10^ att Ao [S] [AU] [pi] % [ppth] [ppm] [ppb] [pptr] gon deg ' '' min h d a_t a_j a_g a wk mo_s mo_j mo_g mo AU atm [lbf_av] \
    circ sph [car_m] [car_Au] [smoot] [in_i] [ft_i] [yd_i] [mi_i] [fth_i] [nmi_i] [kn_i] [sin_i] [sft_i] [syd_i] \
    [cin_i] [cft_i] [cyd_i] [bf_i] [cr_i] [mil_i] [cml_i] [hd_i] [ft_us] [yd_us] [in_us] [rd_us] [ch_us] [lk_us] \
    [rch_us] [rlk_us] [fth_us] [fur_us] [mi_us] [acr_us] [srd_us] [smi_us] [sct] [twp] [mil_us] [in_br] [ft_br] \
    [rd_br] [ch_br] [lk_br] [fth_br] [pc_br] [yd_br] [mi_br] [nmi_br] [kn_br] [acr_br] [gal_us] [bbl_us] [qt_us] \
    [pt_us] [gil_us] [foz_us] [fdr_us] [min_us] [crd_us] [bu_us] [gal_wi] [pk_us] [dqt_us] [dpt_us] [tbs_us] \
    [tsp_us] [cup_us] [foz_m] [cup_m] [tsp_m] [tbs_m] [gal_br] [pk_br] [bu_br] [qt_br] [pt_br] [gil_br] [foz_br] \
    [fdr_br] [min_br] [gr] [lb_av] [oz_av] [dr_av] [scwt_av] [lcwt_av] [ston_av] [lton_av] [stone_av] [pwt_tr] \
    [oz_tr] [lb_tr] [sc_ap] [dr_ap] [oz_ap] [lb_ap] [oz_m] [lne] [pnt] [pca] [pnt_pr] [pca_pr] [pied] [pouce] \
    [ligne] [didot] [cicero] [degF] [degR] [degRe] [Cal] [Btu_39] [Btu_59] [Btu_60] [Btu_m] [Btu_IT] [Btu_th] [Btu] \
    [HP] [den] [in_i'H2O] [in_i'Hg] [PRU] [wood'U] [diop] [p'diop] %[slope] [mesh_i] [Ch] [drp] [hnsf'U] [MET] \
    [hp'_X] [hp'_C] [hp'_M] [hp'_Q] [hp_X] [hp_C] [hp_M] [hp_Q] [kp_X] [kp_C] [kp_M] [kp_Q] [pH] [HPF] [LPF] [psi] \
    [m/s2/Hz^0.5] b";

/// What a unit measures, so far as FHIR's own value sets ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dimension {
    /// Time.
    Time,
    /// Length.
    Length,
}

/// Whether `code` is a unit.
pub(super) fn is_unit(code: &str) -> bool {
    let mut reader = Reader { rest: code };
    reader.main() && reader.rest.is_empty()
}

/// Whether `code` is a single symbol, with or without prefix, of a dimension.
pub(super) fn is_of(code: &str, dimension: Dimension) -> bool {
    let (metric, plain): (&[&str], &[&str]) = match dimension {
        Dimension::Time => (&["s"], &["min", "h", "d", "wk", "mo", "mo_s", "mo_j", "mo_g", "a", "a_t", "a_j", "a_g"]),
        Dimension::Length => (
            &["m", "pc", "[ly]"],
            &[
                "AU", "[in_i]", "[ft_i]", "[yd_i]", "[mi_i]", "[fth_i]", "[nmi_i]", "[mil_i]", "[hd_i]", "[ft_us]",
                "[yd_us]", "[in_us]", "[rd_us]", "[ch_us]", "[lk_us]", "[rch_us]", "[rlk_us]", "[fth_us]", "[fur_us]",
                "[mi_us]", "[mil_us]", "[in_br]", "[ft_br]", "[rd_br]", "[ch_br]", "[lk_br]", "[fth_br]", "[pc_br]",
                "[yd_br]", "[mi_br]", "[nmi_br]", "[lne]", "[pnt]", "[pca]", "[smoot]",
            ],
        ),
    };
    let bare = code.split('{').next().unwrap_or(code);
    plain.contains(&bare)
        || metric.contains(&bare)
        || PREFIXES.iter().any(|prefix| bare.strip_prefix(prefix).is_some_and(|rest| metric.contains(&rest)))
}

struct Reader<'c> {
    rest: &'c str,
}

impl Reader<'_> {
    fn main(&mut self) -> bool {
        self.take('/');
        self.term(0)
    }

    /// Components with `.` and `/` between them.
    fn term(&mut self, depth: u32) -> bool {
        if depth > DEPTH_MAX {
            return false;
        }
        loop {
            if !self.component(depth) {
                return false;
            }
            if !self.take('.') && !self.take('/') {
                return true;
            }
        }
    }

    fn component(&mut self, depth: u32) -> bool {
        if self.take('(') {
            return self.term(depth + 1) && self.take(')') && self.annotation().unwrap_or(true);
        }
        if let Some(is_sound) = self.annotation() {
            return is_sound;
        }
        let end = self.end_of_symbol();
        let Some((word, rest)) = self.rest.split_at_checked(end) else { return false };
        if word.is_empty() || !is_symbol_with_exponent(word) {
            return false;
        }
        self.rest = rest;
        self.annotation().unwrap_or(true)
    }

    /// A remark in braces; none when there is none here.
    fn annotation(&mut self) -> Option<bool> {
        let inside = self.rest.strip_prefix('{')?;
        let Some((remark, rest)) = inside.split_once('}') else { return Some(false) };
        self.rest = rest;
        // UCUM allows no blank here, and R4's own list of common units has some.
        Some(remark.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'{'))
    }

    fn take(&mut self, wanted: char) -> bool {
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Where the symbol ends that stands here: what is in square brackets belongs to it whole.
    fn end_of_symbol(&self) -> usize {
        let mut depth = 0u32;
        for (place, byte) in self.rest.bytes().enumerate() {
            match byte {
                b'[' => depth += 1,
                b']' => depth = depth.saturating_sub(1),
                b'.' | b'/' | b'(' | b')' | b'{' if depth == 0 => return place,
                _ => {}
            }
        }
        self.rest.len()
    }
}

/// A symbol with or without prefix and exponent, or a number.
fn is_symbol_with_exponent(word: &str) -> bool {
    let is_number = |text: &str| {
        !text.is_empty() && text.len() <= DIGIT_COUNT_MAX && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    if is_number(word) || is_symbol(word) {
        return true;
    }
    let base = word.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = word.get(base.len()..).unwrap_or("");
    let base = base.strip_suffix(['+', '-']).unwrap_or(base);
    is_number(digits) && is_symbol(base)
}

fn is_symbol(word: &str) -> bool {
    let is_in = |list: &str, symbol: &str| list.split_ascii_whitespace().any(|known| known == symbol);
    is_in(METRIC, word)
        || is_in(PLAIN, word)
        || PREFIXES.iter().any(|prefix| word.strip_prefix(prefix).is_some_and(|rest| is_in(METRIC, rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_told_by_their_grammar_and_symbols() {
        for unit in [
            "mg",
            "mg/dL",
            "/min",
            "mm[Hg]",
            "10*9/L",
            "kg/m2",
            "{score}",
            "1",
            "%",
            "Cel",
            "[degF]",
            "m.s-2",
            "kcal",
            "umol/L",
            "mL/min/{1.73_m2}",
            "[in_i]",
            "[lb_av]",
            "10*-3.kg",
            "(8.h)-1.m",
            "U/L",
            "meq/L",
            "mo",
            "a",
            "wk",
            "d",
            "h",
            "min",
            "g%",
            "nmol/mmol{creat}",
            "/[HPF]",
            "ng/(8.h)",
            "daL",
            "mmol/(kg.h)",
            "[pH]",
            "cm[H2O]",
            "10^3/uL",
            "mosm/kg",
        ] {
            let expected = unit != "(8.h)-1.m";
            assert_eq!(is_unit(unit), expected, "{unit}");
        }
        for other in [
            "",
            "mgs",
            "beats per minute",
            "KG",
            "mmHg",
            "kg m",
            "mg//dL",
            "mg/",
            "{open",
            "(mg",
            "mg)",
            "°C",
            "years",
            "-1",
            "m^2",
        ] {
            assert!(!is_unit(other), "{other}");
        }
        assert!(!is_unit(&"(".repeat(200)));
    }

    #[test]
    fn every_common_unit_that_r4_lists_is_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/profiles/r4-core/ValueSet-ucum-common.json");
        let set: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        let concepts = set["compose"]["include"][0]["concept"].as_array().unwrap();
        let codes: Vec<&str> = concepts.iter().map(|concept| concept["code"].as_str().unwrap()).collect();
        assert!(codes.len() > 1300, "{}", codes.len());
        let wrong: Vec<_> = codes.into_iter().filter(|code| !is_unit(code)).collect();
        assert_eq!(wrong, [""; 0]);
    }

    #[test]
    fn a_dimension_is_that_of_a_single_symbol() {
        assert!(["s", "min", "ms", "a", "mo"].iter().all(|unit| is_of(unit, Dimension::Time)));
        assert!(["m", "km", "[in_i]"].iter().all(|unit| is_of(unit, Dimension::Length)));
        assert!(!is_of("kg", Dimension::Time) && !is_of("s", Dimension::Length) && !is_of("m/s", Dimension::Length));
    }
}
