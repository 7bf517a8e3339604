//! Packages as they come: archives, folders and files, sound and hostile.

use super::*;

const VALUE_SET: &str = r#"{"resourceType":"ValueSet","url":"https://clinic.example/ValueSet/a","status":"active"}"#;
const MANIFEST: &str = r#"{"name":"clinic","version":"1.2.3"}"#;

/// An archive of these entries, written as they are called, whatever that is.
fn archive(path: &Path, entries: &[(&str, &[u8])]) {
    let mut builder =
        tar::Builder::new(flate2::write::GzEncoder::new(File::create(path).unwrap(), flate2::Compression::fast()));
    for (name, bytes) in entries {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append(&header, *bytes).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap();
}

fn names(package: &Package) -> Vec<&str> {
    package.files.iter().map(|(name, _)| name.as_str()).collect()
}

#[test]
fn an_archive_and_the_same_unpacked_are_one_package() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let tgz = folder.join("clinic.tgz");
    archive(
        &tgz,
        &[
            ("package/package.json", MANIFEST.as_bytes()),
            ("package/ValueSet-a.json", VALUE_SET.as_bytes()),
            ("package/.index.json", b"{}"),
            ("package/examples/broken.json", b"{"),
            ("package/readme.md", b"# clinic"),
        ],
    );
    let from_archive = read_package(&tgz).unwrap();
    assert_eq!((from_archive.name.as_str(), from_archive.version.as_str()), ("clinic", "1.2.3"));
    assert_eq!(names(&from_archive), ["ValueSet-a.json", "package.json"]);

    for below in ["with/package", "without"] {
        let root = folder.join(below);
        std::fs::create_dir_all(root.join("examples")).unwrap();
        std::fs::write(root.join("package.json"), MANIFEST).unwrap();
        std::fs::write(root.join("ValueSet-a.json"), VALUE_SET).unwrap();
        std::fs::write(root.join("examples/broken.json"), "{").unwrap();
    }
    for unpacked in ["with", "without"] {
        assert_eq!(read_package(&folder.join(unpacked)).unwrap().hash(), from_archive.hash(), "{unpacked}");
    }
    let alone = folder.join("a.json");
    std::fs::write(&alone, VALUE_SET).unwrap();
    let alone = read_package(&alone).unwrap();
    assert_eq!((alone.name.as_str(), names(&alone)), ("a.json", vec!["a.json"]));
}

#[test]
fn what_is_no_package_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::create_dir(folder.join("empty")).unwrap();
    std::fs::write(folder.join("cut.tgz"), b"\x1f\x8b\x08\x00").unwrap();
    std::fs::write(folder.join("words.tgz"), b"no archive").unwrap();
    std::fs::write(folder.join("note.txt"), b"hello").unwrap();
    std::fs::write(folder.join("latin.json"), b"{\"a\": \"\xe9\"}").unwrap();
    archive(&folder.join("only-manifest.tgz"), &[("package/package.json", MANIFEST.as_bytes())]);
    for (name, expected) in [
        ("empty", "it holds no .json or .xml file"),
        ("only-manifest.tgz", "it holds no .json or .xml file"),
        ("cut.tgz", "no .tgz that can be read"),
        ("words.tgz", "no .tgz that can be read"),
        ("note.txt", "a package is a .tgz, a folder"),
        ("latin.json", "not text in UTF-8"),
        ("absent.tgz", "No such file"),
    ] {
        let told = read_package(&folder.join(name)).unwrap_err().to_string();
        assert!(told.contains(name) && told.contains(expected), "{told}, not {expected}");
    }
}

#[test]
fn a_hostile_archive_leads_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for name in ["../../evil.json", "package/../../evil.json", "/tmp/evil.json"] {
        let path = folder.join("hostile.tgz");
        archive(&path, &[("package/ValueSet-a.json", VALUE_SET.as_bytes()), (name, VALUE_SET.as_bytes())]);
        let told = read_package(&path).unwrap_err().to_string();
        assert!(told.contains("leads out of it"), "{name}: {told}");
    }
    assert!(!folder.parent().unwrap().join("evil.json").exists());
    let path = folder.join("controls.tgz");
    archive(&path, &[("package/\u{1b}[31m.json", VALUE_SET.as_bytes())]);
    assert!(read_package(&path).unwrap_err().to_string().contains("control characters"));
}

#[test]
fn a_small_archive_that_unpacks_to_very_much_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bomb.tgz");
    let zeros = vec![b' '; FILE_BYTES_MAX as usize + 1];
    archive(&path, &[("package/bomb.json", &zeros)]);
    assert!(std::fs::metadata(&path).unwrap().len() < 2_000_000);
    let told = read_package(&path).unwrap_err().to_string();
    assert!(told.contains("bomb.json: it has more than"), "{told}");
    // What is not kept counts too: nine such files of no interest are past the limit of the whole.
    let mut bounded = Bounded { inner: std::io::repeat(0), left: 10 };
    let told = bounded.read_to_end(&mut Vec::new()).unwrap_err().to_string();
    assert!(told.contains("it unpacks to more than"), "{told}");
}

#[test]
fn the_lock_tells_what_changed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("a.json"), VALUE_SET).unwrap();
    std::fs::write(folder.join("b.json"), VALUE_SET).unwrap();
    assert_eq!(Lock::read(folder).unwrap(), None);
    let lock = Lock::of(&read_site(folder).unwrap());
    lock.write(folder).unwrap();
    assert_eq!(Lock::read(folder).unwrap(), Some(lock.clone()), "and the lock is no package");
    assert!(lock.differences(&Lock::of(&read_site(folder).unwrap())).is_empty());

    std::fs::write(folder.join("a.json"), format!("{VALUE_SET} ")).unwrap();
    std::fs::rename(folder.join("b.json"), folder.join("c.json")).unwrap();
    let differences = lock.differences(&Lock::of(&read_site(folder).unwrap()));
    let told: Vec<String> = differences.iter().map(|one| one.mishap(folder).to_string()).collect();
    assert_eq!(told.len(), 3, "{told:#?}");
    for (told, expected) in told.iter().zip([
        ["a.json: the package changed since it was locked", "run `stile packages lock`"],
        ["b.json: b.json unknown is in packages.lock and is not there", "put it back"],
        ["c.json: c.json unknown is not in packages.lock", "run `stile packages lock`"],
    ]) {
        assert!(expected.iter().all(|words| told.contains(words)), "{told}, not {expected:?}");
    }
    std::fs::write(folder.join(LOCK_FILE), "{").unwrap();
    assert!(Lock::read(folder).unwrap_err().to_string().contains("it is no lock"));
}

#[test]
fn uk_core_is_read_whole_and_without_its_examples() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/packages/fhir.r4.ukcore.stu3-dev.tgz");
    if !path.exists() {
        eprintln!("skipped: {} is absent", path.display());
        return;
    }
    let package = read_package(&path).unwrap();
    assert_eq!(package.name, "fhir.r4.ukcore.stu3.currentbuild");
    assert!(package.files.iter().all(|(name, _)| !name.contains("examples")));
    let census = package.census();
    assert!(census.kinds["profiles"] > 20 && census.kinds["extensions"] > 50, "{census:?}");
}
