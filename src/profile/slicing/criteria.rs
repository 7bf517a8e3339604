//! Discriminators to criteria, once at start.
//!
//! A discriminator's path is followed twice: through the slice's definition, to find what is asked there, and over
//! the types of R4, to know the names that a document may have on the way.

use super::path::{self, PathStep};
use super::{Criterion, Hop, Test};
use crate::document::Name;
use crate::profile::compile::{Compiler, Source, without_version};
use crate::profile::definition::ElementDefinition;
use crate::profile::narrow::identity;
use crate::profile::plan::{Form, KindId, ProfileRef, Step};
use crate::profile::tree::Branch;
use serde_json::Value;

/// How many profiles of profiles are followed for one value, and how many names below a discriminator.
const DEPTH_MAX: usize = 6;

/// Where a path has come to in the definition.
enum At<'s> {
    /// An element.
    Branch(&'s Source<'s>, usize),
    /// A part of the value that an element above is given; whole or at least.
    Value(&'s Value, bool),
    /// A value that follows from the definition's name: an extension's url.
    Url(&'s str),
}

/// A path under way.
struct Way<'s> {
    hops: Vec<Hop>,
    at: Vec<At<'s>>,
    /// The names that the last step may have and the types that they lead to.
    steps: Vec<(Name, KindId)>,
    /// What may be pointed at, once the path goes through a reference: canonical urls.
    targets: Vec<&'s str>,
}

impl Criterion {
    /// True for one that tells a choice by its type.
    pub(in crate::profile) fn is_of_type(&self) -> bool {
        self.way.is_empty() && matches!(self.test, Test::Named(_))
    }
}

impl<'s> Compiler<'s, '_> {
    /// What is true of the members of the slice at `at`.
    ///
    /// # Errors
    /// Why its members cannot be told from others.
    pub(in crate::profile) fn criteria(
        &mut self,
        source: &'s Source<'s>,
        at: usize,
        base_steps: &[Step],
        discriminators: &[(&'s str, &'s str)],
    ) -> Result<Vec<Criterion>, String> {
        let slice = source.tree.branch(at).map_or("", |branch| branch.slice);
        let mut found = Vec::new();
        for (kind, path) in discriminators {
            let steps =
                path::steps(path).ok_or_else(|| format!("the path `{path}` of its discriminator is not known"))?;
            let mut tests = self.tests(source, at, base_steps, kind, &steps)?;
            if tests.is_empty()
                && let Some(counterpart) = counterpart(source, at)
            {
                // A slice in a slice has what the slice of the same name has where the outer one is not sliced;
                // snapshots do not always repeat it.
                tests = self.tests(source, counterpart, base_steps, kind, &steps)?;
            }
            found.extend(tests.into_iter().map(|(way, test)| Criterion {
                way: way.into(),
                test,
                told: (*path).into(),
            }));
        }
        if found.is_empty() {
            return Err(format!("nothing tells the members of `{slice}` from others"));
        }
        Ok(found)
    }

    /// What one discriminator comes to for the slice at `at`: ways and what is looked for at their end.
    fn tests(
        &mut self,
        source: &'s Source<'s>,
        at: usize,
        base_steps: &[Step],
        kind: &str,
        path: &[PathStep<'s>],
    ) -> Result<Vec<(Vec<Hop>, Test)>, String> {
        let mut way = Way {
            hops: Vec::new(),
            at: vec![At::Branch(source, at)],
            steps: base_steps.iter().map(|step| (step.name, step.kind)).collect(),
            targets: Vec::new(),
        };
        for step in path {
            self.follow(&mut way, *step);
        }
        let tests = match kind {
            "value" | "pattern" => self.by_value(&way),
            "exists" => existence(&way).into_iter().map(|test| (Vec::new(), test)).collect(),
            "type" => self.by_type(&way)?.into_iter().map(|test| (Vec::new(), test)).collect(),
            "profile" => vec![(Vec::new(), self.by_profile(&way)?)],
            other => return Err(format!("a discriminator of the kind `{other}` is not known")),
        };
        let whole = |(more, test): (Vec<Hop>, Test)| (way.hops.iter().cloned().chain(more).collect(), test);
        Ok(tests.into_iter().map(whole).collect())
    }

    fn follow(&self, way: &mut Way<'s>, step: PathStep<'s>) {
        match step {
            PathStep::Child(name) => {
                way.steps = self.steps_to(&way.steps, name);
                let names: Box<[Name]> = match way.steps.is_empty() {
                    true => [Name::intern(name)].into(),
                    false => way.steps.iter().map(|(name, _)| *name).collect(),
                };
                way.hops.push(Hop::Child(names));
                way.at = way.at.iter().flat_map(|at| self.below(at, name, DEPTH_MAX)).collect();
            }
            PathStep::Extension(url) => {
                way.hops.push(Hop::Extension(url.into()));
                let extension = self.by_type.get("Extension").copied();
                way.steps = extension.map(|kind| (Name::intern("extension"), kind)).into_iter().collect();
                way.at = way.at.iter().flat_map(|at| self.extensions(at, url)).collect();
            }
            PathStep::Resolve => {
                way.hops.push(Hop::Resolve);
                way.targets = way.at.iter().flat_map(targets).collect();
                let sources: Vec<_> = way.targets.iter().filter_map(|url| self.source(url)).collect();
                let kind = |source: &&Source| self.by_type.get(source.structure.r#type.as_str()).copied();
                way.steps = sources.iter().filter_map(kind).map(|kind| (Name::intern("resource"), kind)).collect();
                let profiles = sources.into_iter().filter(|source| source.structure.is_profile());
                way.at = profiles.map(|source| At::Branch(source, 0)).collect();
            }
            PathStep::OfType(type_name) => {
                let kind = self.by_type.get(type_name).copied();
                match way.hops.last_mut() {
                    Some(Hop::Child(names)) if names.len() > 1 => {
                        way.steps.retain(|(_, known)| Some(*known) == kind);
                        *names = way.steps.iter().map(|(name, _)| *name).collect();
                    }
                    _ => {
                        way.hops.push(Hop::OfType(type_name.into()));
                        way.steps = kind.map(|kind| (Name::intern(type_name), kind)).into_iter().collect();
                    }
                }
            }
        }
    }

    /// The names of the forms that a child has, and their types.
    fn steps_to(&self, from: &[(Name, KindId)], name: &str) -> Vec<(Name, KindId)> {
        let Some(wanted) = Name::find(name) else { return Vec::new() };
        let mut found = Vec::new();
        for (_, kind) in from {
            for step in self.plan.steps(self.plan.kind(*kind)) {
                let element = self.plan.elements.get(step.element as usize);
                let is_form = element.is_some_and(|element| element.is_choice && element.name == wanted);
                if (step.name == wanted || is_form) && !found.contains(&(step.name, step.kind)) {
                    found.push((step.name, step.kind));
                }
            }
        }
        found
    }

    fn source(&self, url: &str) -> Option<&'s Source<'s>> {
        self.by_url.get(without_version(url)).copied()
    }

    /// The definitions of the child `name`, following profiles on the type at most `depth` times.
    fn below(&self, at: &At<'s>, name: &str, depth: usize) -> Vec<At<'s>> {
        let (source, number) = match at {
            At::Branch(source, number) => (*source, *number),
            At::Value(value, is_whole) => return members(value, name, *is_whole),
            At::Url(_) => return Vec::new(),
        };
        let Some(branch) = source.tree.branch(number) else { return Vec::new() };
        let mut found = Vec::new();
        if let Some(child) = source.tree.child(number, name) {
            found.push(At::Branch(source, child));
            let slices = source.tree.branch(child).map_or(&[][..], |child| &child.slices);
            let must_be = |slice: &&usize| {
                let one = source.tree.branch(**slice);
                slices.len() == 1 || one.is_some_and(|one| one.element.min.is_some_and(|min| min > 0))
            };
            found.extend(slices.iter().filter(must_be).map(|slice| At::Branch(source, *slice)));
        }
        if let Some(fixed) = &branch.element.fixed {
            found.extend(members(fixed, name, true));
        }
        if let Some(pattern) = &branch.element.pattern {
            found.extend(members(pattern, name, false));
        }
        if let ([one], true) = (branch.element.types.as_slice(), depth > 0) {
            for profile in &one.profile {
                match self.source(profile) {
                    Some(source) => found.extend(self.below(&At::Branch(source, 0), name, depth - 1)),
                    None if one.code == "Extension" && name == "url" => found.push(At::Url(without_version(profile))),
                    None => {}
                }
            }
        }
        found
    }

    /// The slices of extensions with this url.
    fn extensions(&self, at: &At<'s>, url: &str) -> Vec<At<'s>> {
        let At::Branch(source, number) = at else { return Vec::new() };
        let Some(child) = source.tree.child(*number, "extension") else { return Vec::new() };
        let slices = source.tree.branch(child).map_or(&[][..], |child| &child.slices);
        let is_of_url = |slice: &&usize| {
            self.below(&At::Branch(source, **slice), "url", DEPTH_MAX).iter().any(|at| match at {
                At::Branch(source, number) => {
                    source.tree.branch(*number).is_some_and(|one| one.element.fixed.as_ref().is_some_and(|v| v == url))
                }
                At::Value(value, _) => *value == url,
                At::Url(known) => *known == url,
            })
        };
        let slices: Vec<_> = slices.iter().filter(is_of_url).collect();
        slices.into_iter().map(|slice| At::Branch(source, *slice)).collect()
    }

    /// What value is asked at the end of the way: for each, the names further down, and the test.
    fn by_value(&mut self, way: &Way<'s>) -> Vec<(Vec<Hop>, Test)> {
        let mut found = Vec::new();
        for at in &way.at {
            self.values(at, &way.steps, &mut Vec::new(), DEPTH_MAX, &mut found);
        }
        if !found.is_empty() {
            return found;
        }
        for at in &way.at {
            let At::Branch(source, number) = at else { continue };
            let Some(branch) = source.tree.branch(*number) else { continue };
            // A code outside an extensible binding may belong to the slice as well.
            let is_required = branch.element.binding.as_ref().is_some_and(|binding| binding.strength == "required");
            if let Some(binding) = self.binding(source, branch.element).filter(|_| is_required) {
                found.push((Vec::new(), Test::Bound(binding)));
            }
        }
        if found.is_empty() {
            found.extend(existence(way).map(|test| (Vec::new(), test)));
        }
        found
    }

    fn values(
        &mut self,
        at: &At<'s>,
        steps: &[(Name, KindId)],
        way: &mut Vec<Hop>,
        depth: usize,
        found: &mut Vec<(Vec<Hop>, Test)>,
    ) {
        let mut give = |compiler: &mut Self, value: &Value, is_whole: bool| {
            let test = match value {
                Value::String(text) => Test::Text(text.as_str().into()),
                value => Test::Given(compiler.add_given(value, is_whole)),
            };
            found.push((way.clone(), test));
        };
        let (source, branch) = match at {
            At::Value(value, is_whole) => return give(self, value, *is_whole),
            At::Url(url) => return found.push((way.clone(), Test::Text((*url).into()))),
            At::Branch(source, number) => match source.tree.branch(*number) {
                Some(branch) => (*source, branch),
                None => return,
            },
        };
        if let Some(value) = &branch.element.fixed {
            return give(self, value, true);
        }
        if let Some(value) = &branch.element.pattern {
            return give(self, value, false);
        }
        if depth == 0 {
            return;
        }
        for child in &branch.children {
            let Some(below) = source.tree.branch(*child) else { continue };
            let name = below.name();
            let below = self.steps_to(steps, name.strip_suffix("[x]").unwrap_or(name));
            if !below.is_empty() {
                way.push(Hop::Child(below.iter().map(|(name, _)| *name).collect()));
                self.values(&At::Branch(source, *child), &below, way, depth - 1, found);
                way.pop();
            }
        }
        if let [one] = branch.element.types.as_slice() {
            let profiles: Vec<_> = one.profile.iter().filter_map(|url| self.source(url)).collect();
            if let [profile] = profiles.as_slice() {
                self.values(&At::Branch(profile, 0), steps, way, depth - 1, found);
            }
        }
    }

    fn by_type(&self, way: &Way<'s>) -> Result<Option<Test>, String> {
        if let Some(Hop::Resolve) = way.hops.last() {
            let types = way.targets.iter().filter_map(|url| self.source(url)).map(|one| &*one.structure.r#type);
            let types: Box<[Box<str>]> = types.map(Into::into).collect();
            return if types.is_empty() {
                Err("nothing tells the type of what is pointed at".into())
            } else {
                Ok(Some(Test::Resource(types)))
            };
        }
        let codes: Vec<&str> = way.at.iter().flat_map(element_of).flat_map(type_codes).collect();
        let is_resource = way.steps.iter().any(|(_, kind)| self.plan.kind(*kind).form == Form::AnyResource);
        if codes.is_empty() {
            return Err("nothing tells its type".into());
        }
        if is_resource {
            return Ok(Some(Test::Resource(codes.into_iter().map(Into::into).collect())));
        }
        if way.steps.len() < 2 {
            // One type only: every repeat has it.
            return Ok(None);
        }
        let kinds: Vec<KindId> = codes.iter().filter_map(|code| self.by_type.get(code).copied()).collect();
        let names = way.steps.iter().filter(|(_, kind)| kinds.contains(kind)).map(|(name, _)| *name).collect();
        Ok(Some(Test::Named(names)))
    }

    fn is_resource(&self, type_name: &str) -> bool {
        let kind = self.by_type.get(type_name).map(|kind| self.plan.kind(*kind));
        kind.is_some_and(|kind| kind.form == Form::Resource)
    }

    fn by_profile(&self, way: &Way<'s>) -> Result<Test, String> {
        let urls: Vec<&str> = match way.hops.last() {
            Some(Hop::Resolve) => way.targets.clone(),
            Some(Hop::Child(_) | Hop::Extension(_) | Hop::OfType(_)) | None => {
                let elements = way.at.iter().flat_map(element_of);
                elements.flat_map(|element| &element.types).flat_map(|one| &one.profile).map(String::as_str).collect()
            }
        };
        if urls.is_empty() {
            // A resource type without a profile on it stands for itself.
            let codes = way.at.iter().flat_map(element_of).flat_map(type_codes);
            let resources: Box<[Box<str>]> = codes.filter(|code| self.is_resource(code)).map(Into::into).collect();
            return if resources.is_empty() {
                Err("nothing tells its profile".into())
            } else {
                Ok(Test::Resource(resources))
            };
        }
        let profiles: Box<[ProfileRef]> = urls.into_iter().map(|url| self.profile_ref(url)).collect();
        Ok(Test::Fits(profiles))
    }
}

/// The slice of the same name where an outer slice is not one.
fn counterpart(source: &Source<'_>, at: usize) -> Option<usize> {
    let id = identity(source.tree.branch(at)?.element);
    let (outer, own) = id.rsplit_once('.')?;
    let names: Vec<&str> = outer.split('.').map(|name| name.split_once(':').map_or(name, |(name, _)| name)).collect();
    let wanted = format!("{}.{own}", names.join("."));
    let is_wanted = |branch: &Branch<'_>| identity(branch.element) == wanted;
    source.tree.branches.iter().position(is_wanted).filter(|found| *found != at)
}

fn element_of<'s>(at: &At<'s>) -> Option<&'s ElementDefinition> {
    match at {
        At::Branch(source, number) => source.tree.branch(*number).map(|branch| branch.element),
        At::Value(..) | At::Url(_) => None,
    }
}

fn type_codes(element: &ElementDefinition) -> impl Iterator<Item = &str> {
    element.types.iter().map(|one| one.code.as_str())
}

/// What a reference may point at, by canonical url.
fn targets<'s>(at: &At<'s>) -> Vec<&'s str> {
    let types = element_of(at).map_or(&[][..], |element| element.types.as_slice());
    types.iter().flat_map(|one| &one.target_profile).map(String::as_str).collect()
}

/// Whether something stands at the end of the way, where the definition says.
fn existence(way: &Way<'_>) -> Option<Test> {
    way.at.iter().filter_map(element_of).find_map(|element| match (element.min, element.max.as_deref()) {
        (_, Some("0")) => Some(Test::Absent),
        (Some(1..), _) => Some(Test::Exists),
        (Some(0) | None, _) => None,
    })
}

/// The members of a given value that have this name.
fn members<'s>(value: &'s Value, name: &str, is_whole: bool) -> Vec<At<'s>> {
    let Some(members) = value.as_object() else { return Vec::new() };
    let is_form = |known: &str| {
        known.strip_prefix(name).is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_uppercase()))
    };
    let has_exact = members.contains_key(name);
    let is_named = |known: &str| if has_exact { known == name } else { is_form(known) };
    let named = members.iter().filter(|(known, _)| is_named(known)).map(|(_, member)| member);
    let items = named.flat_map(|member| match member {
        Value::Array(items) => items.iter().collect::<Vec<_>>(),
        single => vec![single],
    });
    items.map(|item| At::Value(item, is_whole)).collect()
}
