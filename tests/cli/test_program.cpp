#include "../scenarios/study_runs.hpp"

#include <gemel/scenarios/plan.hpp>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <thread>

/// The program as a user meets it: exit codes, files, what goes where.
namespace gemel::tests {

namespace {

struct Finished {
    int code = -1;
    std::string out; ///< standard output and error together
};

/// Runs the program in a folder.
Finished gemel_in(const std::filesystem::path& folder,
                  const std::string& arguments,
                  const std::string& environment = {}) {
    const std::string command = fmt::format(
        "cd '{}' && {}'{}' {} 2>&1", folder.string(), environment, GEMEL_PROGRAM, arguments);
    Finished finished;
    FILE* pipe = popen(command.c_str(), "r");
    std::array<char, 4096> buffer;
    while (const std::size_t n = fread(buffer.data(), 1, buffer.size(), pipe))
        finished.out.append(buffer.data(), n);
    finished.code = WEXITSTATUS(pclose(pipe));
    return finished;
}

std::string study_file(const std::string& name) {
    return "'" + (source_folder() / "tests" / "studies" / name).string() + "'";
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

/// Largest resident size of a run [KiB] of which summaries alone are written.
long peak_of_run(const std::filesystem::path& folder,
                 const std::filesystem::path& study,
                 const std::vector<std::string>& overrides) {
    std::vector<std::string> words{
        "gemel", "run", study.string(), "-o", (folder / "x.h5").string()};
    words.insert(words.end(), {"--quiet", "--threads", "2", "--set", "save.subjects=none"});
    for (const std::string& text : overrides)
        words.insert(words.end(), {"--set", text});
    std::vector<char*> arguments;
    for (std::string& word : words)
        arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const pid_t child = fork();
    if (child == 0) {
        execv(GEMEL_PROGRAM, arguments.data());
        _exit(98);
    }
    int status = 0;
    rusage used{};
    wait4(child, &status, 0, &used);
    REQUIRE(WIFEXITED(status));
    REQUIRE(WEXITSTATUS(status) == 0);
    rusage own{};
    getrusage(RUSAGE_SELF, &own);
    REQUIRE(used.ru_maxrss >
            own.ru_maxrss); // a child's peak is no less than its parent's at the fork
    return used.ru_maxrss;
}

std::size_t n_files(const std::filesystem::path& folder) {
    std::size_t n = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        n += entry.exists();
    return n;
}

} // namespace

TEST_CASE("run writes NAME.h5 in the current folder and tells its digest") {
    const TemporaryFolder folder;
    const Finished run = gemel_in(folder.path(), "run " + study_file("loading_dose.toml"));
    CHECK(run.code == 0);
    CHECK(has(run.out, "results_sha256"));
    CHECK(has(run.out, "wrote loading_dose.h5"));
    CHECK(std::filesystem::exists(folder / "loading_dose.h5"));
    CHECK(n_files(folder.path()) == 1);
}

TEST_CASE("-o, --set, --seed, --threads, --lanes and --quiet do what they say") {
    const TemporaryFolder folder;
    const std::string study = study_file("genotypes.toml");
    const Finished quiet = gemel_in(folder.path(),
                                    "run " + study +
                                        " -o a.h5 --quiet --threads 2 --lanes 16 --seed 8 "
                                        "--set population.size=100 --set save.Cp.subjects=none");
    CHECK(quiet.code == 0);
    CHECK(quiet.out.empty());
    const io::ResultReader file(folder / "a.h5");
    CHECK(file.axis("subject").size() == 100);
    CHECK(file.attribute("seed") == "8");
    for (const io::Variable& variable : file.variables())
        CHECK(variable.path != "Cp");
}

TEST_CASE("run tells what it made of a data file, unless it is to be quiet") {
    const TemporaryFolder folder;
    const std::string study = study_file("theophylline_data.toml");
    const Finished told = gemel_in(folder.path(), "run " + study + " -o a.h5");
    CHECK(told.code == 0);
    CHECK(has(told.out, "theophylline.csv: note: carried along and not used: DOSEPKG"));
    const Finished checked = gemel_in(folder.path(), "check " + study);
    CHECK(has(checked.out, "note      carried along and not used: DOSEPKG"));
    CHECK(gemel_in(folder.path(), "run " + study + " -o b.h5 --quiet").out.empty());
}

TEST_CASE("wrong input exits with 2, names place and cure, and writes nothing") {
    const TemporaryFolder folder;
    const Finished run =
        gemel_in(folder.path(),
                 "run " + study_file("genotypes.toml") + " --set study.sead=3 --set study.rtol=7");
    CHECK(run.code == 2);
    CHECK(has(run.out, "did you mean 'seed'?"));
    CHECK(has(run.out, "nothing was run"));
    CHECK(has(run.out, "2 errors"));
    CHECK(n_files(folder.path()) == 0);
    const Finished nonsense =
        gemel_in(folder.path(), "run " + study_file("genotypes.toml") + " --set nonsense");
    CHECK(nonsense.code == 2);
    CHECK(has(nonsense.out, "1 error\n"));
    CHECK(gemel_in(folder.path(), "run no_such_study.toml").code == 2);
    CHECK(gemel_in(folder.path(), "run").code == 2);
}

TEST_CASE("an unknown command is told with the nearest one and the list") {
    const TemporaryFolder folder;
    const Finished unknown = gemel_in(folder.path(), "runn study.toml");
    CHECK(unknown.code == 2);
    CHECK(has(unknown.out, "unknown command 'runn'"));
    CHECK(has(unknown.out, "did you mean 'run'?"));
    CHECK(has(unknown.out, "commands: run, check"));
}

TEST_CASE("a seed has 64 bits, and what is none is told in words") {
    const TemporaryFolder folder;
    const std::string study = "run " + study_file("loading_dose.toml") + " --quiet -o x.h5 --seed ";
    CHECK(gemel_in(folder.path(), study + "18446744073709551615").code == 0);
    {
        const io::ResultReader file(folder / "x.h5");
        CHECK(file.provenance("seed") == "18446744073709551615");
        CHECK(file.attribute("seed") == "18446744073709551615");
    }
    for (const char* wrong : {"18446744073709551616", "-1", "1.5", "one"}) {
        CAPTURE(wrong);
        const Finished refused = gemel_in(folder.path(), study + wrong);
        CHECK(refused.code == 2);
        CHECK(has(refused.out, "a whole number from 0 to 18446744073709551615"));
        CHECK(refused.out.size() < 300);
    }
}

TEST_CASE("the command in provenance can be typed again") {
    // The oracle is the shell: it splits the text into the words that were given.
    const TemporaryFolder folder;
    std::filesystem::copy(source_folder() / "tests/studies/models", folder / "models");
    std::filesystem::copy(source_folder() / "tests/studies/loading_dose.toml", folder / "a b.toml");
    CHECK(gemel_in(folder.path(), "run 'a b.toml' --quiet --set \"study.title=it's\"").code == 0);
    const std::string command = io::ResultReader(folder / "a b.h5").provenance("command");
    write_text(folder / "again.sh", "gemel() { printf '%s|' \"$@\"; }\n" + command + " > words\n");
    CHECK(std::system(fmt::format("cd '{}' && sh again.sh", folder.path().string()).c_str()) == 0);
    CHECK(read_text(folder / "words") == "run|a b.toml|--set|study.title=it's|");
}

TEST_CASE("more failures than allowed exit with 3 and still write the file") {
    const TemporaryFolder folder;
    const std::string study = study_file("bad_patients.toml");
    const Finished bad = gemel_in(folder.path(), "run " + study);
    CHECK(bad.code == 3);
    CHECK(has(bad.out, "3 of 10,000 subjects failed (3 of 10,000 solves)"));
    CHECK(std::filesystem::exists(folder / "bad_patients.h5"));
    CHECK(gemel_in(folder.path(), "run " + study + " --set study.max_failures=3").code == 0);
}

TEST_CASE("a folder that does not exist is an error of files: exit 1") {
    const TemporaryFolder folder;
    const Finished run =
        gemel_in(folder.path(), "run " + study_file("genotypes.toml") + " -o no/such/folder.h5");
    CHECK(run.code == 1);
    CHECK(has(run.out, "no/such/folder.h5"));
}

TEST_CASE("results never replace what they are made from") {
    const TemporaryFolder folder;
    const auto studies = source_folder() / "tests" / "studies";
    std::filesystem::copy(studies / "models", folder / "models");
    std::filesystem::copy(studies / "genotypes.toml", folder / "study.toml");
    const std::string before = read_text(folder / "study.toml");
    CHECK(gemel_in(folder.path(), "run study.toml -o study.toml").code == 1);
    CHECK(has(gemel_in(folder.path(), "run study.toml -o models").out, "is a folder"));
    CHECK(read_text(folder / "study.toml") == before);
}

TEST_CASE("results replace no gene table, not even behind a link") {
    const TemporaryFolder folder;
    const auto studies = source_folder() / "tests" / "studies";
    std::filesystem::copy(studies / "models", folder / "models");
    std::filesystem::copy(source_folder() / "library/genes", folder / "genes");
    std::filesystem::copy(studies / "genotypes.toml", folder / "study.toml");
    std::filesystem::create_symlink("genes/CYP2C9.toml", folder / "link.h5");
    const std::string before = read_text(folder / "genes/CYP2C9.toml");
    for (const char* output : {"genes/CYP2C9.toml", "link.h5"}) {
        CAPTURE(output);
        const Finished refused =
            gemel_in(folder.path(), std::string("run study.toml -o ") + output, "GEMEL_LIBRARY=. ");
        CHECK(refused.code == 1);
        CHECK(has(refused.out, "is an input of this study"));
    }
    CHECK(read_text(folder / "genes/CYP2C9.toml") == before);
}

TEST_CASE("a run goes on from the part of a killed run and leaves a foreign one alone") {
    const TemporaryFolder folder;
    const std::string command = "run " + study_file("loading_dose.toml") + " --quiet -o x.h5";
    write_text(folder / "x.h5.part", "somebody's text");
    const Finished refused = gemel_in(folder.path(), command);
    CHECK(refused.code == 1);
    CHECK(has(refused.out, "x.h5.part"));
    CHECK(read_text(folder / "x.h5.part") == "somebody's text");
    write_text(folder / "x.h5.part", "");
    CHECK(gemel_in(folder.path(), command).code == 0);
    CHECK(n_files(folder.path()) == 1);
}

TEST_CASE("check tells all mistakes of all files and runs none") {
    const TemporaryFolder folder;
    const std::string errors = (source_folder() / "tests" / "errors").string();
    const Finished check = gemel_in(folder.path(),
                                    fmt::format("check {0}/study_dose.toml {0}/study_keys.toml {1}",
                                                errors,
                                                study_file("genotypes.toml")));
    CHECK(check.code == 2);
    CHECK(has(check.out, "is a concentration"));
    CHECK(has(check.out, "did you mean 'title'?"));
    CHECK(has(check.out, "genotypes.toml: ok"));
    CHECK(has(check.out, "rodas5p"));
    CHECK(n_files(folder.path()) == 0);
}

TEST_CASE("check passes every model and gene of the library") {
    const TemporaryFolder folder;
    const std::string library = (source_folder() / "library").string();
    const Finished check =
        gemel_in(folder.path(), fmt::format("check {0}/models/*.toml {0}/genes/*.toml", library));
    CAPTURE(check.out);
    CHECK(check.code == 0);
}

TEST_CASE("plan tells what a run takes and writes nothing") {
    const TemporaryFolder folder;
    const Finished plan =
        gemel_in(folder.path(), "plan " + study_file("genotypes.toml") + " --threads 2");
    CHECK(plan.code == 0);
    for (const char* part :
         {"solves    1,400", "rodas5p", "memory    about", "disk      ", "time  "})
        CHECK(has(plan.out, part));
    CHECK(n_files(folder.path()) == 0);
    CHECK(gemel_in(folder.path(), "plan " + study_file("genotypes.toml") + " --set study.sead=3")
              .code == 2);
}

TEST_CASE("what no disk holds is refused before anything is written: exit 1") {
    const TemporaryFolder folder;
    const std::string vast = study_file("genotypes.toml") + " --set population.size=1e13";
    const Finished refused = gemel_in(folder.path(), "run " + vast);
    CHECK(refused.code == 1);
    CHECK(has(refused.out, "genotypes.h5 needs "));
    CHECK(has(refused.out, "PiB on disk"));
    CHECK(n_files(folder.path()) == 0);
    const Finished plan = gemel_in(folder.path(), "plan " + vast);
    CHECK(plan.code == 0);
    CHECK(has(plan.out, "warning: the file needs"));
}

TEST_CASE("memory does not grow with the number of subjects" * doctest::test_suite("slow")) {
    // Invariant of DESIGN: what is kept of a subject does not outlive its block. Ten times the
    // subjects reach further into the tails, so a few counters more: less than 5 %.
    const TemporaryFolder folder;
    const auto peak = [&](const std::string& size) {
        return peak_of_run(folder.path(),
                           source_folder() / "tests/studies/loading_dose.toml",
                           {"save.Ap.subjects=none", "population.size=" + size});
    };
    // Short runs differ by 2 %, by which blocks happen to be open together: the largest of three.
    const long few = std::max({peak("20000"), peak("20000"), peak("20000")}), many = peak("200000");
    CAPTURE(few);
    CAPTURE(many);
    CHECK(static_cast<double>(many) < 1.05 * static_cast<double>(few));
}

TEST_CASE("memory planned is what a run takes" * doctest::test_suite("slow")) {
    // Oracle: the largest resident size, of a study with one quantile and with 100 strata of it,
    // each of more subjects than counters keep as they are.
    const TemporaryFolder folder;
    std::string cuts;
    for (int i = 1; i < 100; ++i)
        cuts += fmt::format("{}\"{}[kg]\"", i == 1 ? "" : ", ", 50.0 + 0.4 * i);
    const auto study = source_folder() / "tests/studies/attainment.toml";
    double peaks[2], planned[2];
    for (int i = 0; i < 2; ++i) {
        const std::string by = i == 0 ? "" : ", by = \"WT\", cuts = [" + cuts + "]";
        const std::vector<std::string> overrides{"population.size=250000",
                                                 "endpoints.fine={ value = \"quantile(AUC, 0.9)\"" +
                                                     by + " }"};
        peaks[i] = 1024.0 * static_cast<double>(peak_of_run(folder.path(), study, overrides));
        scenarios::PlanOptions options{"x.h5", 2};
        options.memory_of_machine = 1.0; // nothing is solved
        std::vector<std::string> all = overrides;
        all.emplace_back("save.subjects=none");
        planned[i] = scenarios::make_plan(load("attainment.toml", all), options).memory_bytes;
        CHECK(planned[i] > peaks[i]);
        CHECK(planned[i] < 1.5 * peaks[i]);
    }
    CHECK(planned[1] - planned[0] == doctest::Approx(peaks[1] - peaks[0]).epsilon(0.3));
}

TEST_CASE("models and genes list the library and show one of it") {
    const TemporaryFolder folder;
    CHECK(has(gemel_in(folder.path(), "models").out, "warfarin_hamberg2007"));
    CHECK(has(gemel_in(folder.path(), "models one_compartment_oral").out, "exact-closed-form"));
    CHECK(has(gemel_in(folder.path(), "genes").out, "CYP2C9"));
    CHECK(has(gemel_in(folder.path(), "genes VKORC1").out, "rs9923231"));
    const Finished unknown = gemel_in(folder.path(), "models one_compartment_orral");
    CHECK(unknown.code == 2);
    CHECK(has(unknown.out, "did you mean 'one_compartment_oral'?"));
}

TEST_CASE("export writes the same table to a file and to standard output") {
    const TemporaryFolder folder;
    gemel_in(folder.path(), "run " + study_file("genotypes.toml") + " -o x.h5 --quiet");
    const Finished printed = gemel_in(folder.path(), "export x.h5 --what outcomes --format csv");
    CHECK(printed.code == 0);
    CHECK(gemel_in(folder.path(), "export x.h5 --what outcomes -o x.csv").code == 0);
    CHECK(read_text(folder / "x.csv") == printed.out);
    CHECK(gemel_in(folder.path(), "export x.csv --what outcomes").code == 1);
}

TEST_CASE("export never replaces the results it is of") {
    const TemporaryFolder folder;
    gemel_in(folder.path(), "run " + study_file("genotypes.toml") + " -o x.h5 --quiet");
    const std::string before = read_text(folder / "x.h5");
    std::filesystem::create_symlink("x.h5", folder / "link");
    for (const char* output : {"x.h5", "./x.h5", "link"}) {
        CAPTURE(output);
        const Finished refused =
            gemel_in(folder.path(), std::string("export x.h5 --what outcomes -o ") + output);
        CHECK(refused.code == 1);
        CHECK(has(refused.out, "holds what the table is of"));
    }
    CHECK(read_text(folder / "x.h5") == before);
}

TEST_CASE("--version and --help exit with 0") {
    const TemporaryFolder folder;
    const Finished version = gemel_in(folder.path(), "--version");
    CHECK(version.code == 0);
    CHECK(has(version.out, "gemel-trajectory/1"));
    const Finished help = gemel_in(folder.path(), "--help");
    CHECK(help.code == 0);
    CHECK(has(help.out, "export"));
}

/// Runs a study and sends a signal after a while, if it is still running then. @returns how it
/// ended
int signalled_run(const std::filesystem::path& folder,
                  std::vector<std::string> words,
                  int signal,
                  std::chrono::microseconds after) {
    const pid_t child = fork();
    if (child == 0) {
        if (chdir(folder.c_str()) != 0) _exit(97);
        const int nowhere = open("/dev/null", O_WRONLY);
        dup2(nowhere, 1);
        dup2(nowhere, 2);
        std::vector<char*> arguments;
        for (std::string& word : words)
            arguments.push_back(word.data());
        arguments.push_back(nullptr);
        execv(GEMEL_PROGRAM, arguments.data());
        _exit(98);
    }
    std::this_thread::sleep_for(after);
    kill(child, signal);
    int status = 0;
    waitpid(child, &status, 0);
    return status;
}

/// The line of resuming left out: it tells of the run before.
std::string without_resuming(const std::string& out) {
    if (!out.starts_with("resuming: ")) return out;
    return out.substr(out.find('\n') + 1);
}

/// A study with all that a run keeps: curves of some subjects and a summary over all, texts,
/// outcomes, endpoints, several blocks and arms.
struct LongRun {
    explicit LongRun(std::vector<std::string> more = {}) {
        std::vector<std::string> set{
            "save.Cp.subjects=3000",
            "endpoints.g={ value = \"geometric_mean_ratio(AUC, low)\" }",
            "endpoints.m={ value = \"median(AUC)\", by = \"CYP2C9.phenotype\" }"};
        set.insert(set.end(), more.begin(), more.end());
        words = {"gemel",
                 "run",
                 (source_folder() / "tests/studies/genotypes.toml").string(),
                 "-o",
                 "x.h5",
                 "--checkpoint",
                 "0.02"};
        for (const std::string& text : set)
            words.insert(words.end(), {"--set", text});
        for (std::size_t i = 1; i < words.size(); ++i)
            command += "'" + words[i] + "' ";
    }

    std::vector<std::string> with_threads(int n) const {
        std::vector<std::string> all = words;
        all.insert(all.end(), {"--threads", std::to_string(n)});
        return all;
    }
    Finished finish() const { return gemel_in(folder.path(), command + "--threads 2"); }
    std::string digest() const {
        return io::ResultReader(folder / "x.h5").attribute("results_sha256");
    }

    TemporaryFolder folder;
    std::vector<std::string> words;
    std::string command;
};

TEST_CASE("Ctrl-C ends a run with 130, and the same command goes on" *
          doctest::test_suite("slow")) {
    const LongRun run({"population.size=20000"});
    const int status = signalled_run(
        run.folder.path(), run.with_threads(1), SIGINT, std::chrono::milliseconds(700));
    REQUIRE(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 130);
    CHECK_FALSE(std::filesystem::exists(run.folder / "x.h5"));
    const Finished rest = run.finish();
    CHECK(rest.code == 0);
    CHECK(has(rest.out, "resuming: "));
    CHECK(has(rest.out, " % of blocks are there\n"));
    CHECK(n_files(run.folder.path()) == 1);
}

TEST_CASE("kill -9 at any moment, and the next run has the same results" *
          doctest::test_suite("slow")) {
    // Oracle: the run that nobody killed. Moments from before the first block to after the last.
    const LongRun run({"population.size=20000"});
    const auto start = std::chrono::steady_clock::now();
    const Finished whole = run.finish();
    const auto length = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now() - start);
    REQUIRE(whole.code == 0);
    const std::string digest = run.digest();
    std::mt19937 random(20);
    int n_killed = 0, n_resumed = 0;
    for (int i = 0; i < 20; ++i) {
        std::filesystem::remove(run.folder / "x.h5");
        const auto after = std::chrono::microseconds(std::uniform_int_distribution<std::int64_t>(
            0, static_cast<std::int64_t>(1.05 * static_cast<double>(length.count())))(random));
        CAPTURE(i);
        CAPTURE(after.count());
        const int status =
            signalled_run(run.folder.path(), run.with_threads(1 + i % 2), SIGKILL, after);
        n_killed += WIFSIGNALED(status);
        if (std::filesystem::exists(run.folder / "x.h5")) { // it was faster
            CHECK(run.digest() == digest);
            continue;
        }
        const Finished rest = run.finish();
        CHECK(rest.code == 0);
        n_resumed += has(rest.out, "resuming: ");
        CHECK(without_resuming(rest.out) == whole.out); // summaries, assumptions, digest
        CHECK(run.digest() == digest);
        CHECK(n_files(run.folder.path()) == 1);
    }
    CHECK(n_killed >= 10);
    CHECK(n_resumed >= 5);
}

TEST_CASE("a run that is killed over and over comes to its end" * doctest::test_suite("slow")) {
    // With replicates; killed soon after it has gone on, so that each run adds a little.
    const LongRun run({"population.size=3000", "study.replicates=5"});
    const Finished whole = run.finish();
    REQUIRE(whole.code == 0);
    const std::string digest = run.digest();
    std::filesystem::remove(run.folder / "x.h5");
    std::mt19937 random(5);
    int n_killed = 0;
    while (!std::filesystem::exists(run.folder / "x.h5") && n_killed < 40) {
        const std::chrono::milliseconds after(std::uniform_int_distribution<int>(100, 600)(random));
        n_killed += WIFSIGNALED(
            signalled_run(run.folder.path(), run.with_threads(1 + n_killed % 2), SIGKILL, after));
    }
    CHECK(n_killed > 1);
    const bool is_through = std::filesystem::exists(run.folder / "x.h5");
    if (!is_through) CHECK(without_resuming(run.finish().out) == whole.out);
    CHECK(run.digest() == digest);
}

TEST_CASE("a run to the output of another that is running, or was interrupted, is refused") {
    const LongRun run({"population.size=3000"});
    {
        const io::ResultFile other(run.folder / "x.h5");
        const Finished refused = run.finish();
        CHECK(refused.code == 1);
        CHECK(has(refused.out, "x.h5.part is being written by another run"));
    }
    {
        io::ResultFile other(run.folder / "x.h5", {.key = "something_else"});
        other.add(io::Axis{.name = "subject", .count = 64});
        other.add({.path = "x", .axes = {"subject"}, .units = "1"});
        other.checkpoint([](const auto&) {});
    }
    const Finished refused = run.finish();
    CHECK(refused.code == 1);
    CHECK(has(refused.out, "x.h5.part is what an interrupted run of something else left"));
    CHECK(gemel_in(run.folder.path(), run.command + "--restart").code == 0);
    CHECK(n_files(run.folder.path()) == 1);
}

TEST_CASE("a file that the disk does not take is told: exit 1, and nothing under its name") {
    // A limit on the size of files stands for a full disk: both refuse to write.
    const LongRun run({"population.size=3000"});
    const Finished limited =
        gemel_in(run.folder.path(), run.command, "trap '' XFSZ; ulimit -f 512; ");
    CHECK(limited.code == 1);
    CHECK(has(limited.out, "x.h5.part: "));
    CHECK(has(limited.out, "File too large"));
    CHECK(n_files(run.folder.path()) == 0);
}

TEST_CASE("nca prints its tables, writes files and never replaces its data") {
    const TemporaryFolder folder;
    std::filesystem::copy_file(source_folder() / "tests/data/indomethacin.csv", folder / "x.csv");
    const std::string call = "nca x.csv --route bolus --time-unit h --conc-unit mg/L "
                             "--dose-unit mg ";
    const Finished table = gemel_in(folder.path(), call + "--partial 0:4 --above 0.1");
    CHECK(table.code == 0);
    CHECK(has(table.out, "auc_0_4"));
    CHECK(has(table.out, "r_squared below 0.9: 3, 4, 5"));
    CHECK(has(table.out, "Summary"));
    const Finished written =
        gemel_in(folder.path(), call + "--format json --parameters cmax -o y.json");
    CHECK(written.code == 0);
    CHECK(written.out.empty());
    CHECK(has(read_text(folder / "y.json"), "{\"subject\": \"1\", \"cmax\": 1.5"));
    const Finished onto = gemel_in(folder.path(), call + "-o x.csv");
    CHECK(onto.code == 1);
    CHECK(has(onto.out, "x.csv holds what the table is of"));
    const Finished no_route = gemel_in(folder.path(), "nca x.csv -o z.csv");
    CHECK(no_route.code == 2);
    CHECK(has(no_route.out, "write --route oral"));
    CHECK(has(no_route.out, "nothing was run"));
    CHECK(gemel_in(folder.path(), "nca x.csv --route rectal").code == 2);
    CHECK(n_files(folder.path()) == 2);
}

TEST_CASE("find-dose prints its table and writes it as CSV") {
    const TemporaryFolder folder;
    const Finished found = gemel_in(folder.path(),
                                    "find-dose " + study_file("attainment.toml") +
                                        " --quiet --set population.size=300 -o found.csv "
                                        "--curves curves.csv");
    CHECK(found.code == 0);
    CHECK(
        has(found.out, "smallest dose of arm once with effective in at least 90.0 % of subjects"));
    CHECK(has(found.out, "not (WT >= 70[kg])"));
    CHECK(has(read_text(folder / "found.csv"), "stratum,dose [mg],dose_lower [mg]"));
    CHECK(has(read_text(folder / "curves.csv"), "\nall,50,"));
    const Finished none = gemel_in(folder.path(), "find-dose " + study_file("genotypes.toml"));
    CHECK(none.code == 2);
    CHECK(has(none.out, "[find_dose]"));
}

TEST_CASE(
    "find-dose replaces no input, writes no table twice, and tells failures by its exit code") {
    const TemporaryFolder folder;
    const std::string text = read_text(source_folder() / "tests/studies/attainment.toml");
    std::filesystem::create_directories(folder / "models");
    std::filesystem::copy_file(source_folder() / "tests/studies/models/oral.toml",
                               folder / "models/oral.toml");
    write_text(folder / "s.toml", text);
    const std::string call = "find-dose s.toml --quiet --set population.size=20 ";
    const Finished onto = gemel_in(folder.path(), call + "-o s.toml");
    CHECK(onto.code == 1);
    CHECK(has(onto.out, "s.toml is an input of this study"));
    CHECK(read_text(folder / "s.toml") == text);
    const Finished twice = gemel_in(folder.path(), call + "-o x.csv --curves ./x.csv");
    CHECK(twice.code == 1);
    CHECK(has(twice.out, "-o and --curves are one file"));
    CHECK_FALSE(std::filesystem::exists(folder / "x.csv"));
    const Finished failed =
        gemel_in(folder.path(), call + "--set study.solver=rodas5p --set study.max_steps=1");
    CHECK(failed.code == 3);
    CHECK(has(failed.out, "none of 20 subjects has a value"));
}

TEST_CASE("show in a pipe draws with ASCII characters") {
    const TemporaryFolder folder;
    gemel_in(folder.path(), "run " + study_file("genotypes.toml") + " --quiet -o x.h5");
    const Finished shown = gemel_in(folder.path(), "show x.h5 --by CYP2C9.phenotype");
    CHECK(shown.code == 0);
    CHECK(has(shown.out, "results_sha256") == false);
    CHECK(has(shown.out, "sha256"));
    CHECK(!has(shown.out, "█"));
    CHECK(!has(shown.out, "░"));
    CHECK(gemel_in(folder.path(), "show x.h5 --what nothing").code == 2);
    const Finished split = gemel_in(folder.path(), "show x.h5 --what curves --by CYP2C9.phenotype");
    CHECK(split.code == 2);
    CHECK(has(split.out, "--by: splits outcomes"));
    CHECK(gemel_in(folder.path(), "show no_such_file.h5").code == 1);
}

namespace {

/// Theophylline's file of a fit, in a folder of its own with its model.
void write_fit(const std::filesystem::path& folder) {
    const std::filesystem::path data = source_folder() / "tests" / "data";
    std::filesystem::copy_file(data / "theophylline_model.toml", folder / "theo_model.toml");
    std::filesystem::copy_file(data / "theophylline.csv", folder / "theophylline.csv");
    write_text(folder / "theo.toml",
               "gemel = \"fit/1\"\n[fit]\nmodel = \"theo_model.toml\"\nmethod = \"focei\"\n"
               "fixed = [\"CL_WT\"]\n[data]\nfile = \"theophylline.csv\"\n[data.columns]\n"
               "TIME = { unit = \"h\" }\nAMT = { unit = \"mg\" }\n"
               "DV = { output = \"Cp\", unit = \"mg/L\" }\nWT = { unit = \"kg\" }\n"
               "[outputs]\n"
               "Cp = { error = { law = \"combined1\", proportional = 0.1, additive = 0.3 } }\n"
               "[options]\ndraws = 500\n");
}

} // namespace

TEST_CASE("a fit is checked, run, and its model simulated with what it left open") {
    const TemporaryFolder folder;
    write_fit(folder.path());
    const Finished checked = gemel_in(folder.path(), "check theo.toml");
    INFO(checked.out);
    CHECK(checked.code == 0);
    CHECK(has(checked.out, "12 subjects, 12 dose records, 132 observations"));
    // Its own model is never replaced.
    CHECK(gemel_in(folder.path(), "fit theo.toml").code == 1);
    const Finished fitted = gemel_in(folder.path(), "fit theo.toml -o out --threads 1");
    INFO(fitted.out);
    CHECK(fitted.code == 0);
    for (const char* name : {"out.h5", "out.txt", "out_model.toml"})
        CHECK(std::filesystem::exists(folder / name));
    CHECK(has(fitted.out, read_text(folder / "out.txt")));
    for (const char* word : {"nan", "NaN"})
        CHECK_FALSE(has(fitted.out, word));
    write_text(folder / "again.toml",
               "gemel = \"study/1\"\n[study]\nmodel = \"out_model.toml\"\nseed = 1\n"
               "duration = \"24 h\"\nreplicates = 20\n[population]\nsize = 20\n"
               "covariates = { WT = \"70 kg\" }\n[uncertainty]\nfrom = \"model\"\n"
               "[regimens.once]\ndoses = [ { dose = \"320 mg\" } ]\n"
               "[arms.once]\nregimen = \"once\"\n"
               "[outcomes]\nAUC = \"auc(Cp, 0[h], 24[h])\"\n");
    const Finished again = gemel_in(folder.path(), "run again.toml");
    INFO(again.out);
    CHECK(again.code == 0);
}

TEST_CASE("a fit with mistakes runs nothing, and its command says what it takes") {
    const TemporaryFolder folder;
    write_fit(folder.path());
    const Finished wrong =
        gemel_in(folder.path(), "fit theo.toml -o out --set fit.fixed='[\"CL_V\"]'");
    CHECK(wrong.code == 2);
    CHECK(has(wrong.out, "'CL_V' is no number of this fit"));
    CHECK_FALSE(std::filesystem::exists(folder / "out.h5"));
    const Finished unknown = gemel_in(folder.path(), "fit theo.toml --method em");
    CHECK(unknown.code == 2);
}

} // namespace gemel::tests
