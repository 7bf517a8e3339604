//! Packages as they come: archives, folders and files, sound and hostile.

use super::reading::{BOUNDS, Bounded, Bounds, read_archive, read_folder};
use super::*;
use std::io::Read;

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
    let zeros = vec![b' '; BOUNDS.file_bytes_max as usize + 1];
    archive(&path, &[("package/bomb.json", &zeros)]);
    assert!(std::fs::metadata(&path).unwrap().len() < 2_000_000);
    let told = read_package(&path).unwrap_err().to_string();
    assert!(told.contains("bomb.json: it has more than"), "{told}");
    // What is not kept counts too: nine such files of no interest are past the limit of the whole.
    let mut bounded = Bounded { inner: std::io::repeat(0), left: 10, max: 10 };
    let told = bounded.read_to_end(&mut Vec::new()).unwrap_err().to_string();
    assert!(told.contains("it unpacks to more than"), "{told}");
}

/// Writes the entries of an archive as the files that they unpack to.
fn unpack(root: &Path, entries: &[(&str, &[u8])]) {
    for (name, bytes) in entries {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

#[test]
fn an_archive_and_its_folder_agree_on_what_is_read_and_what_is_refused() {
    let (set, manifest) = (VALUE_SET.as_bytes(), MANIFEST.as_bytes());
    let deep = "package/1/2/3/4/5/6/7/8/9/a.json";
    let not_deep = "package/1/2/3/4/5/6/7/8/a.json";
    type Case<'c> = (&'c [(&'c str, &'c [u8])], Result<&'c [&'c str], &'c str>);
    let cases: &[Case] = &[
        (
            &[("package/package.json", manifest), ("package/a.json", set), ("other2/b.json", set)],
            Ok(&["a.json", "package.json"]),
        ),
        (&[("other2/b.json", b"\xff"), ("package/a.json", set), ("c.json", set)], Ok(&["a.json"])),
        (&[("mine/b.json", set), ("a.json", set)], Ok(&["a.json", "mine/b.json"])),
        (&[("./package/./a.json", set), ("package/examples/b.json", b"\xff")], Ok(&["a.json"])),
        (&[(not_deep, set)], Ok(&["1/2/3/4/5/6/7/8/a.json"])),
        (&[(deep, set)], Err("more than 8 folders within one another")),
        (&[("package/a.json", b"\xff")], Err("a.json: it is not text in UTF-8")),
        (&[("package/\u{7}.json", set)], Err("control characters")),
        (&[("package/readme.md", b""), ("a.json", set)], Err("it holds no .json or .xml file")),
    ];
    for (entries, expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        let (tgz, unpacked) = (folder.path().join("a.tgz"), folder.path().join("a"));
        archive(&tgz, entries);
        unpack(&unpacked, entries);
        for path in [tgz, unpacked] {
            let read = read_package(&path);
            match (&read, expected) {
                (Ok(package), Ok(expected)) => assert_eq!(names(package), *expected, "{}", path.display()),
                (Err(told), Err(words)) => assert!(told.to_string().contains(words), "{told}, not {words}"),
                (Ok(_), Err(_)) | (Err(_), Ok(_)) => panic!("{}: {read:?}, not {expected:?}", path.display()),
            }
        }
    }
}

#[test]
fn an_entry_that_hides_behind_another_or_under_a_link_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("twice.tgz");
    archive(&path, &[("package/a.json", VALUE_SET.as_bytes()), ("package//a.json", b"{}")]);
    assert!(read_package(&path).unwrap_err().to_string().contains("two entries called a.json"));

    let path = folder.path().join("link.tgz");
    let mut builder =
        tar::Builder::new(flate2::write::GzEncoder::new(File::create(&path).unwrap(), flate2::Compression::fast()));
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    builder.append_link(&mut header, "package/a.json", "/etc/passwd").unwrap();
    builder.into_inner().unwrap().finish().unwrap();
    assert!(read_package(&path).unwrap_err().to_string().contains("a.json is a link"));
}

#[test]
fn both_forms_of_a_package_keep_to_the_same_bounds() {
    let bounds = |bytes_max, file_bytes_max, entry_count_max, depth_max| Bounds {
        bytes_max,
        file_bytes_max,
        entry_count_max,
        depth_max,
    };
    let folder = tempfile::tempdir().unwrap();
    let (tgz, unpacked) = (folder.path().join("a.tgz"), folder.path().join("a"));
    // An archive has blocks of 512 bytes, and a head for each file.
    let entries: &[(&str, &[u8])] = &[("a.json", &[b' '; 4000]), ("b.json", &[b' '; 4000]), ("one/c.json", b"{}")];
    archive(&tgz, entries);
    unpack(&unpacked, entries);
    for (bounds, words) in [
        (bounds(20_000, 4000, 4, 1), None),
        (bounds(7000, 4000, 4, 1), Some("unpacks to more than 7000 bytes")),
        (bounds(20_000, 3999, 4, 1), Some("it has more than 3999 bytes")),
        (bounds(20_000, 4000, 2, 1), Some("more than 2 entries")),
        (bounds(20_000, 4000, 4, 0), Some("more than 0 folders")),
    ] {
        for read in [read_archive(File::open(&tgz).unwrap(), &bounds), read_folder(&unpacked, &bounds)] {
            match words {
                None => assert_eq!(read.unwrap().len(), 3),
                Some(words) => assert!(read.as_ref().unwrap_err().contains(words), "{read:?}, not {words}"),
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_never_opened() {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let root = |name: &str| {
        unpack(&folder.join(name), &[("a.json", VALUE_SET.as_bytes())]);
        folder.join(name)
    };
    let told =
        |root: &Path| read_package(root).map(|package| names(&package).join(" ")).map_err(|told| told.to_string());

    let with_socket = root("socket");
    let _socket = UnixListener::bind(with_socket.join("b.json")).unwrap();
    assert!(told(&with_socket).unwrap_err().contains("b.json is a link, a pipe or a device"));
    assert!(told(&with_socket.join("b.json")).unwrap_err().contains("neither a file nor a folder"));

    let with_pipe = root("pipe");
    let made = std::process::Command::new("mkfifo").arg(with_pipe.join("b.json")).status().unwrap();
    assert!(made.success());
    // Opening it would wait for a writer that never comes.
    assert!(told(&with_pipe).unwrap_err().contains("b.json is a link, a pipe or a device"));

    for (name, link, target, expected) in [
        ("file", "b.json", "a.json", Err("b.json is a link")),
        ("ring", "below", ".", Err("below is a link")),
        ("outer", "package", "/etc", Err("package is a link")),
        ("broken", "b.json", "nowhere", Err("b.json is a link")),
        ("prose", "readme.md", "nowhere", Ok("a.json")),
        ("passed", "examples", "/etc", Ok("a.json")),
    ] {
        let root = root(name);
        symlink(target, root.join(link)).unwrap();
        match (told(&root), expected) {
            (Ok(names), Ok(expected)) => assert_eq!(names, expected, "{name}"),
            (Err(told), Err(words)) => assert!(told.contains(words), "{name}: {told}"),
            (read, expected) => panic!("{name}: {read:?}, not {expected:?}"),
        }
    }
    let strange = root("strange");
    std::fs::write(strange.join(std::ffi::OsStr::from_bytes(b"\xff.json")), VALUE_SET).unwrap();
    assert!(told(&strange).unwrap_err().contains("not UTF-8"));
    // A folder that the person names may be reached by a link: that is their own.
    symlink(root("own"), folder.join("linked")).unwrap();
    assert_eq!(told(&folder.join("linked")).unwrap(), "a.json");
}

#[test]
fn a_package_is_put_in_place_of_another_and_nothing_is_left_beside() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let site = folder.join("site");
    let listed = || {
        let mut names: Vec<String> =
            std::fs::read_dir(&site).unwrap().map(|entry| name_of(&entry.unwrap().path())).collect();
        names.sort();
        names
    };
    unpack(&folder.join("one"), &[("a.json", VALUE_SET.as_bytes())]);
    unpack(&folder.join("two"), &[("b.json", VALUE_SET.as_bytes())]);
    let (one, two) = (Arrival::read(&folder.join("one")).unwrap(), Arrival::read(&folder.join("two")).unwrap());
    // What a stopped machine left is in nobody's way.
    unpack(&site, &[(".clinic.new", b""), (".clinic.old/package/c.json", b"{}")]);
    one.write(&site.join("clinic")).unwrap();
    // What was read counts, not what lies there now.
    std::fs::remove_dir_all(folder.join("two")).unwrap();
    two.write(&site.join("clinic")).unwrap();
    assert_eq!(listed(), ["clinic"]);
    let put = read_package(&site.join("clinic")).unwrap();
    assert_eq!((names(&put), put.hash()), (vec!["b.json"], two.package.hash()));

    // One that cannot be put in place leaves the old one.
    std::fs::create_dir_all(site.join("full/package")).unwrap();
    let mut unsound = Arrival::read(&site.join("clinic")).unwrap();
    unsound.package.files.push(("b.json/below.json".into(), "{}".into()));
    assert!(unsound.write(&site.join("clinic")).is_err());
    assert_eq!(listed(), ["clinic", "full"]);
    assert_eq!(read_package(&site.join("clinic")).unwrap().hash(), two.package.hash());
}

#[test]
fn a_single_file_is_called_by_what_it_defines() {
    let folder = tempfile::tempdir().unwrap();
    let bundle =
        format!(r#"{{"resourceType":"Bundle","entry":[{{"resource":{VALUE_SET}}},{{"resource":{VALUE_SET}}}]}}"#);
    for (own, text, expected) in [
        ("definition.json", VALUE_SET.to_owned(), Ok("ValueSet-a.json")),
        ("x.JSON", VALUE_SET.replace("\"url\"", "\"id\":\"b\",\"url\""), Ok("ValueSet-b.json")),
        (".x.json", VALUE_SET.to_owned(), Ok("ValueSet-a.json")),
        ("x.json", bundle.clone(), Ok("x.json")),
        (".x.json", bundle, Err("may not begin with a dot")),
        ("x.json", VALUE_SET.replace("\"url\"", "\"id\":\"../b\",\"url\""), Err("makes a file name")),
    ] {
        std::fs::write(folder.path().join(own), &text).unwrap();
        match (Arrival::read(&folder.path().join(own)), expected) {
            (Ok(arrival), Ok(expected)) => {
                assert_eq!(arrival.file_name().as_deref(), Some(expected));
                assert_eq!(arrival.package.files, [(expected.to_owned(), text)]);
            }
            (Err(told), Err(words)) => assert!(told.to_string().contains(words), "{told}"),
            (read, expected) => panic!("{own}: {read:?}, not {expected:?}"),
        }
    }
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
