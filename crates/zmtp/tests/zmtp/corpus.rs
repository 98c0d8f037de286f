//! Every file of every fuzz corpus through the function that its target fuzzes.

use std::path::Path;

use zmtp::testing::fuzz::TARGETS;

#[test]
fn every_corpus_file_is_survived() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    for (name, check) in TARGETS {
        let files = std::fs::read_dir(corpus.join(name)).expect(name);
        let mut seen = 0;
        for file in files {
            let data = std::fs::read(file.unwrap().path()).unwrap();
            check(&data);
            for cut in 0..data.len().min(200) {
                check(&data[..cut]);
            }
            seen += 1;
        }
        assert!(seen >= 3, "the corpus of {name} is empty");
    }
}
