//! The functions: their names, and how many arguments of which kind each takes.

/// Every function that can be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Aggregate,
    All,
    AllFalse,
    AllTrue,
    AnyFalse,
    AnyTrue,
    As,
    CheckModifiers,
    Children,
    Coalesce,
    Coded(Coding),
    Combine,
    Comparable,
    Component(Component),
    ConformsTo,
    Convert(Target),
    Converts(Target),
    Count,
    DefineVariable,
    Descendants,
    Distinct,
    ElementDefinition,
    Empty,
    Exclude,
    Exists,
    Extension,
    First,
    GetValue,
    HasValue,
    HighBoundary,
    HtmlChecks,
    HtmlChecks2,
    Iif,
    Intersect,
    Is,
    IsDistinct,
    Join,
    Last,
    LowBoundary,
    Maths(Maths),
    Matches,
    MatchesFull,
    MemberOf,
    Not,
    Now,
    OfType,
    Precision,
    Repeat,
    RepeatAll,
    ReplaceMatches,
    Resolve,
    Select,
    Single,
    Skip,
    Slice,
    Sort,
    SubsetOf,
    SubsumedBy,
    Subsumes,
    SupersetOf,
    Tail,
    Take,
    Text(Text),
    TimeOfDay,
    Today,
    Trace,
    Type,
    Union,
    Where,
}

/// Functions on one text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text {
    Contains,
    EndsWith,
    IndexOf,
    LastIndexOf,
    Length,
    Lower,
    Replace,
    Split,
    StartsWith,
    Substring,
    ToChars,
    Trim,
    Upper,
}

/// Parts of a date or time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Component {
    Date,
    Day,
    Hour,
    Millisecond,
    Minute,
    Month,
    Offset,
    Second,
    Time,
    Year,
}

/// Functions that write a text in another form, and back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Decode,
    Encode,
    Escape,
    Unescape,
}

/// Functions on one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Maths {
    Abs,
    Ceiling,
    Exp,
    Floor,
    Ln,
    Log,
    Power,
    Round,
    Sqrt,
    Truncate,
}

/// What `toX()` and `convertsToX()` aim at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Boolean,
    Date,
    DateTime,
    Decimal,
    Integer,
    Quantity,
    String,
    Time,
}

/// What the arguments of a function are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arguments {
    /// Values, computed once where the call stands.
    Values,
    /// Expressions over each item of the input; a first value may stand before (`trace`) or after (`aggregate`).
    OverItems,
    /// The name of a type.
    TypeName,
    /// A regular expression, then values.
    Pattern,
}

/// One function as it may be called.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signature {
    pub(super) name: &'static str,
    pub(super) function: Function,
    pub(super) least: usize,
    pub(super) most: usize,
    pub(super) arguments: Arguments,
}

const fn of(name: &'static str, function: Function, least: usize, most: usize) -> Signature {
    Signature { name, function, least, most, arguments: Arguments::Values }
}

const fn over_items(name: &'static str, function: Function, least: usize, most: usize) -> Signature {
    Signature { name, function, least, most, arguments: Arguments::OverItems }
}

const fn with_type(name: &'static str, function: Function) -> Signature {
    Signature { name, function, least: 1, most: 1, arguments: Arguments::TypeName }
}

const fn with_pattern(name: &'static str, function: Function, count: usize) -> Signature {
    Signature { name, function, least: count, most: count, arguments: Arguments::Pattern }
}

/// The functions in the order of their names.
pub(super) const FUNCTIONS: &[Signature] = &[
    of("abs", Function::Maths(Maths::Abs), 0, 0),
    over_items("aggregate", Function::Aggregate, 1, 2),
    over_items("all", Function::All, 1, 1),
    of("allFalse", Function::AllFalse, 0, 0),
    of("allTrue", Function::AllTrue, 0, 0),
    of("anyFalse", Function::AnyFalse, 0, 0),
    of("anyTrue", Function::AnyTrue, 0, 0),
    with_type("as", Function::As),
    of("ceiling", Function::Maths(Maths::Ceiling), 0, 0),
    of("checkModifiers", Function::CheckModifiers, 1, 16),
    of("children", Function::Children, 0, 0),
    of("coalesce", Function::Coalesce, 1, 16),
    of("combine", Function::Combine, 1, 1),
    of("comparable", Function::Comparable, 1, 1),
    of("conformsTo", Function::ConformsTo, 1, 1),
    of("contains", Function::Text(Text::Contains), 1, 1),
    of("convertsToBoolean", Function::Converts(Target::Boolean), 0, 0),
    of("convertsToDate", Function::Converts(Target::Date), 0, 0),
    of("convertsToDateTime", Function::Converts(Target::DateTime), 0, 0),
    of("convertsToDecimal", Function::Converts(Target::Decimal), 0, 0),
    of("convertsToInteger", Function::Converts(Target::Integer), 0, 0),
    of("convertsToQuantity", Function::Converts(Target::Quantity), 0, 1),
    of("convertsToString", Function::Converts(Target::String), 0, 0),
    of("convertsToTime", Function::Converts(Target::Time), 0, 0),
    of("count", Function::Count, 0, 0),
    of("dateOf", Function::Component(Component::Date), 0, 0),
    of("dayOf", Function::Component(Component::Day), 0, 0),
    of("decode", Function::Coded(Coding::Decode), 1, 1),
    over_items("defineVariable", Function::DefineVariable, 1, 2),
    of("descendants", Function::Descendants, 0, 0),
    of("distinct", Function::Distinct, 0, 0),
    of("elementDefinition", Function::ElementDefinition, 0, 0),
    of("empty", Function::Empty, 0, 0),
    of("encode", Function::Coded(Coding::Encode), 1, 1),
    of("endsWith", Function::Text(Text::EndsWith), 1, 1),
    of("escape", Function::Coded(Coding::Escape), 1, 1),
    of("exclude", Function::Exclude, 1, 1),
    over_items("exists", Function::Exists, 0, 1),
    of("exp", Function::Maths(Maths::Exp), 0, 0),
    of("extension", Function::Extension, 1, 1),
    of("first", Function::First, 0, 0),
    of("floor", Function::Maths(Maths::Floor), 0, 0),
    of("getValue", Function::GetValue, 0, 0),
    of("hasValue", Function::HasValue, 0, 0),
    of("highBoundary", Function::HighBoundary, 0, 1),
    of("hourOf", Function::Component(Component::Hour), 0, 0),
    of("htmlChecks", Function::HtmlChecks, 0, 0),
    of("htmlChecks2", Function::HtmlChecks2, 0, 0),
    over_items("iif", Function::Iif, 2, 3),
    of("indexOf", Function::Text(Text::IndexOf), 1, 1),
    of("intersect", Function::Intersect, 1, 1),
    with_type("is", Function::Is),
    of("isDistinct", Function::IsDistinct, 0, 0),
    of("join", Function::Join, 0, 1),
    of("last", Function::Last, 0, 0),
    of("lastIndexOf", Function::Text(Text::LastIndexOf), 1, 1),
    of("length", Function::Text(Text::Length), 0, 0),
    of("ln", Function::Maths(Maths::Ln), 0, 0),
    of("log", Function::Maths(Maths::Log), 1, 1),
    of("lowBoundary", Function::LowBoundary, 0, 1),
    of("lower", Function::Text(Text::Lower), 0, 0),
    with_pattern("matches", Function::Matches, 1),
    with_pattern("matchesFull", Function::MatchesFull, 1),
    of("memberOf", Function::MemberOf, 1, 1),
    of("millisecondOf", Function::Component(Component::Millisecond), 0, 0),
    of("minuteOf", Function::Component(Component::Minute), 0, 0),
    of("monthOf", Function::Component(Component::Month), 0, 0),
    of("not", Function::Not, 0, 0),
    of("now", Function::Now, 0, 0),
    with_type("ofType", Function::OfType),
    of("power", Function::Maths(Maths::Power), 1, 1),
    of("precision", Function::Precision, 0, 0),
    over_items("repeat", Function::Repeat, 1, 1),
    over_items("repeatAll", Function::RepeatAll, 1, 1),
    of("replace", Function::Text(Text::Replace), 2, 2),
    with_pattern("replaceMatches", Function::ReplaceMatches, 2),
    of("resolve", Function::Resolve, 0, 0),
    of("round", Function::Maths(Maths::Round), 0, 1),
    of("secondOf", Function::Component(Component::Second), 0, 0),
    over_items("select", Function::Select, 1, 1),
    of("single", Function::Single, 0, 0),
    of("skip", Function::Skip, 1, 1),
    of("slice", Function::Slice, 2, 2),
    over_items("sort", Function::Sort, 0, 8),
    of("split", Function::Text(Text::Split), 1, 1),
    of("sqrt", Function::Maths(Maths::Sqrt), 0, 0),
    of("startsWith", Function::Text(Text::StartsWith), 1, 1),
    of("subsetOf", Function::SubsetOf, 1, 1),
    of("substring", Function::Text(Text::Substring), 1, 2),
    of("subsumedBy", Function::SubsumedBy, 1, 1),
    of("subsumes", Function::Subsumes, 1, 1),
    of("supersetOf", Function::SupersetOf, 1, 1),
    of("tail", Function::Tail, 0, 0),
    of("take", Function::Take, 1, 1),
    of("timeOf", Function::Component(Component::Time), 0, 0),
    of("timeOfDay", Function::TimeOfDay, 0, 0),
    of("timezoneOffsetOf", Function::Component(Component::Offset), 0, 0),
    of("toBoolean", Function::Convert(Target::Boolean), 0, 0),
    of("toChars", Function::Text(Text::ToChars), 0, 0),
    of("toDate", Function::Convert(Target::Date), 0, 0),
    of("toDateTime", Function::Convert(Target::DateTime), 0, 0),
    of("toDecimal", Function::Convert(Target::Decimal), 0, 0),
    of("toInteger", Function::Convert(Target::Integer), 0, 0),
    of("toQuantity", Function::Convert(Target::Quantity), 0, 1),
    of("toString", Function::Convert(Target::String), 0, 0),
    of("toTime", Function::Convert(Target::Time), 0, 0),
    of("today", Function::Today, 0, 0),
    over_items("trace", Function::Trace, 1, 2),
    of("trim", Function::Text(Text::Trim), 0, 0),
    of("truncate", Function::Maths(Maths::Truncate), 0, 0),
    of("type", Function::Type, 0, 0),
    of("unescape", Function::Coded(Coding::Unescape), 1, 1),
    of("union", Function::Union, 1, 1),
    of("upper", Function::Text(Text::Upper), 0, 0),
    over_items("where", Function::Where, 1, 1),
    of("yearOf", Function::Component(Component::Year), 0, 0),
];

/// Functions of FHIR's terminology service (R5) and its like, which ask a server: refused, so that the message can say so.
pub(super) const REFUSED: &[&str] = &["validateVS", "lookup", "translate", "expand"];

/// The function of this name.
pub(super) fn find(name: &str) -> Option<Signature> {
    FUNCTIONS.binary_search_by_key(&name, |signature| signature.name).ok().and_then(|at| FUNCTIONS.get(at).copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_stand_in_order_so_that_each_is_found() {
        for pair in FUNCTIONS.windows(2) {
            assert!(pair[0].name < pair[1].name, "{} stands before {}", pair[0].name, pair[1].name);
        }
        assert!(FUNCTIONS.iter().all(|signature| find(signature.name).is_some()));
        assert!(REFUSED.iter().all(|name| find(name).is_none()));
    }
}
