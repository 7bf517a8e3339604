//! The short lists of ISO that FHIR takes codes from and no package carries.
//!
//! ISO 639-1 (languages), ISO 3166-1 (countries) and ISO 4217 (currencies), as they stood in 2025.

/// ISO 639-1.
const LANGUAGES: &str = "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da \
    de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is \
    it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb \
    nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg sh si sk sl sm sn so sq sr ss \
    st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu";

/// ISO 3166-1, officially assigned: two letters, three letters, number.
const COUNTRIES: &str = "ADAND020 AEARE784 AFAFG004 AGATG028 AIAIA660 ALALB008 AMARM051 AOAGO024 AQATA010 ARARG032 \
    ASASM016 ATAUT040 AUAUS036 AWABW533 AXALA248 AZAZE031 BABIH070 BBBRB052 BDBGD050 BEBEL056 BFBFA854 BGBGR100 BHBHR048 \
    BIBDI108 BJBEN204 BLBLM652 BMBMU060 BNBRN096 BOBOL068 BQBES535 BRBRA076 BSBHS044 BTBTN064 BVBVT074 BWBWA072 BYBLR112 \
    BZBLZ084 CACAN124 CCCCK166 CDCOD180 CFCAF140 CGCOG178 CHCHE756 CICIV384 CKCOK184 CLCHL152 CMCMR120 CNCHN156 COCOL170 \
    CRCRI188 CUCUB192 CVCPV132 CWCUW531 CXCXR162 CYCYP196 CZCZE203 DEDEU276 DJDJI262 DKDNK208 DMDMA212 DODOM214 DZDZA012 \
    ECECU218 EEEST233 EGEGY818 EHESH732 ERERI232 ESESP724 ETETH231 FIFIN246 FJFJI242 FKFLK238 FMFSM583 FOFRO234 FRFRA250 \
    GAGAB266 GBGBR826 GDGRD308 GEGEO268 GFGUF254 GGGGY831 GHGHA288 GIGIB292 GLGRL304 GMGMB270 GNGIN324 GPGLP312 GQGNQ226 \
    GRGRC300 GSSGS239 GTGTM320 GUGUM316 GWGNB624 GYGUY328 HKHKG344 HMHMD334 HNHND340 HRHRV191 HTHTI332 HUHUN348 IDIDN360 \
    IEIRL372 ILISR376 IMIMN833 ININD356 IOIOT086 IQIRQ368 IRIRN364 ISISL352 ITITA380 JEJEY832 JMJAM388 JOJOR400 JPJPN392 \
    KEKEN404 KGKGZ417 KHKHM116 KIKIR296 KMCOM174 KNKNA659 KPPRK408 KRKOR410 KWKWT414 KYCYM136 KZKAZ398 LALAO418 LBLBN422 \
    LCLCA662 LILIE438 LKLKA144 LRLBR430 LSLSO426 LTLTU440 LULUX442 LVLVA428 LYLBY434 MAMAR504 MCMCO492 MDMDA498 MEMNE499 \
    MFMAF663 MGMDG450 MHMHL584 MKMKD807 MLMLI466 MMMMR104 MNMNG496 MOMAC446 MPMNP580 MQMTQ474 MRMRT478 MSMSR500 MTMLT470 \
    MUMUS480 MVMDV462 MWMWI454 MXMEX484 MYMYS458 MZMOZ508 NANAM516 NCNCL540 NENER562 NFNFK574 NGNGA566 NINIC558 NLNLD528 \
    NONOR578 NPNPL524 NRNRU520 NUNIU570 NZNZL554 OMOMN512 PAPAN591 PEPER604 PFPYF258 PGPNG598 PHPHL608 PKPAK586 PLPOL616 \
    PMSPM666 PNPCN612 PRPRI630 PSPSE275 PTPRT620 PWPLW585 PYPRY600 QAQAT634 REREU638 ROROU642 RSSRB688 RURUS643 RWRWA646 \
    SASAU682 SBSLB090 SCSYC690 SDSDN729 SESWE752 SGSGP702 SHSHN654 SISVN705 SJSJM744 SKSVK703 SLSLE694 SMSMR674 SNSEN686 \
    SOSOM706 SRSUR740 SSSSD728 STSTP678 SVSLV222 SXSXM534 SYSYR760 SZSWZ748 TCTCA796 TDTCD148 TFATF260 TGTGO768 THTHA764 \
    TJTJK762 TKTKL772 TLTLS626 TMTKM795 TNTUN788 TOTON776 TRTUR792 TTTTO780 TVTUV798 TWTWN158 TZTZA834 UAUKR804 UGUGA800 \
    UMUMI581 USUSA840 UYURY858 UZUZB860 VAVAT336 VCVCT670 VEVEN862 VGVGB092 VIVIR850 VNVNM704 VUVUT548 WFWLF876 WSWSM882 \
    YEYEM887 YTMYT175 ZAZAF710 ZMZMB894 ZWZWE716";

/// ISO 4217: what is in use, and what R4 lists that no longer is.
const CURRENCIES: &str = include_str!("currencies.txt");

/// Whether `word`, which has as many letters as every word of `list`, is one of it.
fn is_listed(list: &str, word: &str, length: usize) -> bool {
    let is_word = word.len() == length && word.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_word && list.split_ascii_whitespace().any(|known| known == word)
}

/// A language in two letters (ISO 639-1), in any case.
pub(super) fn is_language_2(code: &str) -> bool {
    is_listed(LANGUAGES, &code.to_ascii_lowercase(), 2)
}

/// A country in two letters (ISO 3166-1).
pub(super) fn is_country_2(code: &str) -> bool {
    is_country_part(code, 0, 2)
}

/// A country in three letters (ISO 3166-1).
pub(super) fn is_country_3(code: &str) -> bool {
    is_country_part(code, 2, 5)
}

/// A country as a number (ISO 3166-1).
pub(super) fn is_country_number(code: &str) -> bool {
    is_country_part(code, 5, 8)
}

fn is_country_part(code: &str, start: usize, end: usize) -> bool {
    code.len() == end - start && COUNTRIES.split_ascii_whitespace().any(|country| country.get(start..end) == Some(code))
}

/// The region of a language tag in two letters, in any case; with those that BCP 47 keeps beside ISO's.
pub(super) fn is_region(code: &str) -> bool {
    let code = code.to_ascii_uppercase();
    is_country_2(&code)
        || ["AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "TA", "UN", "XK", "AA", "ZZ"].contains(&code.as_str())
}

/// A currency (ISO 4217).
pub(super) fn is_currency(code: &str) -> bool {
    is_listed(CURRENCIES, code, 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_whole_and_hold_nothing_twice() {
        let check = |list: &str, count: usize, length: usize| {
            let words: Vec<&str> = list.split_ascii_whitespace().collect();
            assert!(words.iter().all(|word| word.len() == length));
            let mut once = words.clone();
            once.sort_unstable();
            once.dedup();
            assert_eq!((once.len(), words.len()), (words.len(), count));
        };
        check(LANGUAGES, 185, 2);
        check(COUNTRIES, 249, 8);
        for (start, end) in [(0, 2), (2, 5), (5, 8)] {
            let mut parts: Vec<_> = COUNTRIES.split_ascii_whitespace().filter_map(|one| one.get(start..end)).collect();
            parts.sort_unstable();
            parts.dedup();
            assert_eq!(parts.len(), 249);
        }
        assert!(CURRENCIES.split_ascii_whitespace().count() > 170);
    }
}
