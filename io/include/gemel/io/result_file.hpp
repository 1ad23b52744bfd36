#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The result file: netCDF-4-clean HDF5, layout `gemel-trajectory/1`. Nothing else names HDF5 paths
/// or sees HDF5. Written under NAME.part and renamed when complete.
namespace gemel::io {

/// The name of the layout, with its version.
inline constexpr std::string_view result_layout = "gemel-trajectory/1";

/// The axis of the replicates of a study, in front of all others.
inline constexpr const char* replicate_axis = "replicate";

/// An axis every dataset along it is attached to as a dimension scale.
struct Axis {
    std::string name; ///< "arm", "subject", "time", "time_INR"
    std::string long_name = {};
    std::string units = {};                  ///< UCUM; for numbers
    std::vector<double> numbers = {};        ///< float64 axis, or …
    std::vector<std::int64_t> integers = {}; ///< … int64 axis, or …
    std::vector<std::string> labels = {};    ///< … text axis, or …
    std::uint64_t count = 0; ///< … 1, 2, … count as int64, never listed in memory
    std::size_t size() const {
        return numbers.size() + integers.size() + labels.size() + static_cast<std::size_t>(count);
    }
};

enum class ValueType {
    real,     ///< float64, missing = NaN
    integer,  ///< int64
    category, ///< uint8 with flag_values and flag_meanings
    text      ///< variable-length UTF-8
};

struct Variable {
    std::string
        path; ///< "Cp", "outcomes/AUC", "covariates/WT", "genotypes/CYP2C9", "diagnostics/status"
    ValueType type = ValueType::real;
    std::vector<std::string> axes = {}; ///< names, outermost first
    std::string units = {};             ///< every variable has one ("1" for pure numbers)
    std::string long_name = {};
    std::vector<std::string> meanings = {}; ///< of category codes 0, 1, …
    std::vector<std::pair<std::string, std::string>> attributes = {}; ///< further text attributes
};

/// Takes axes and variables, in the order they stand in a file.
class Layout {
public:
    virtual ~Layout() = default;
    /// "arm" and "subject" have a meaning of their own; "subject_…" is a part of the subjects.
    virtual void add(const Axis& axis) = 0;
    /// Axes are [replicate,] [arm,] [subject,] others. Subjects per chunk are one number per file,
    /// from `chunk_subjects` of the largest variable; add that one before writing begins.
    virtual void add(const Variable& variable) = 0;
};

/// How much disk a file of a layout takes, without making it: cells and chunks as they are stored;
/// texts and what HDF5 needs beside the cells by their usual size.
class LayoutSize : public Layout {
public:
    LayoutSize();
    LayoutSize(LayoutSize&& other) noexcept;
    ~LayoutSize() override;
    void add(const Axis& axis) override;
    void add(const Variable& variable) override;

    double bytes() const;
    struct Part {
        std::string path; ///< "Cp", "outcomes/AUC", "subject"
        double bytes = 0.0;
    };
    std::vector<Part> parts() const; ///< axes, then variables, in the order they were added

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

struct ResultFileOptions {
    /// Of all that the numbers depend on. A file of the same key that was interrupted after a
    /// checkpoint is gone on from; "": there are no checkpoints.
    std::string key = {};
    bool restarts = false; ///< whatever an interrupted run left, the file begins anew
};

/// Axes and variables are added first; the first write lays the file out, and nothing can be added
/// afterwards. Numbers then go straight to their places in PATH.part, from any thread; HDF5 sees
/// the file again when it is finished.
class ResultFile : public Layout {
public:
    /// Creates PATH.part, as OutputFile does, or goes on with it. Beside it stand PATH.part.leaves,
    /// .texts and .journal while there is a key.
    /// @throws std::runtime_error with the path and the reason: among them a file of another key
    /// that was interrupted
    explicit ResultFile(const std::filesystem::path& path, const ResultFileOptions& options = {});
    /// Removes PATH.part and what stands beside it unless finished or interrupted after a
    /// checkpoint.
    ~ResultFile() override;
    ResultFile(const ResultFile&) = delete;
    ResultFile& operator=(const ResultFile&) = delete;

    void add(const Axis& axis) override;
    void add(const Variable& variable) override;

    /// What the last checkpoint of the run that is gone on from was given, to be taken once;
    /// nothing: it begins anew.
    std::optional<std::string> take_state();
    /// Calls what it is given with the bytes of a state, piece by piece.
    using StateWriter = std::function<void(const std::function<void(std::string_view)>& add)>;
    /// All that is written so far outlives this process, even a loss of power, and the state with
    /// it. Others may be writing meanwhile. @throws std::runtime_error as write does
    void checkpoint(const StateWriter& write_state);

    /// What is written from now on is of this replicate, 0 at first, where a variable has the axis.
    /// Not while others are writing.
    void select_replicate(std::size_t replicate);

    /// Writes subjects [first, first + count) of one variable: [arm] is −1 for variables without an
    /// arm axis; values are [count × remaining axes]. `first` is a multiple of 64, and count too
    /// unless it reaches the last subject. Every cell must be written; a block that is written
    /// again must be the same. From any thread, no block twice at once.
    void
    write(const std::string& path, int arm, std::uint64_t first, std::span<const double> values);
    void write(const std::string& path,
               int arm,
               std::uint64_t first,
               std::span<const std::int64_t> values);
    void write(const std::string& path,
               int arm,
               std::uint64_t first,
               std::span<const std::uint8_t> values);
    void write(const std::string& path,
               int arm,
               std::uint64_t first,
               const std::vector<std::string>& values);
    /// A whole variable without subject axis; of the replicate, where it has that axis.
    void write_all(const std::string& path, std::span<const double> values);
    void write_all(const std::string& path, std::span<const std::int64_t> values);
    void write_all(const std::string& path, std::span<const std::uint8_t> values);
    void write_all(const std::string& path, const std::vector<std::string>& values);

    /// Root attributes, and attributes and texts of /provenance (never part of the digest).
    void attribute(const std::string& name, const std::string& value);
    void attribute(const std::string& name, std::int64_t value);
    void provenance(const std::string& name, const std::string& value);
    void provenance_text(const std::string& name, const std::string& text); ///< scalar text dataset

    /// Digests, flush, close, verify by re-opening, fsync, rename, fsync of the folder.
    /// @returns results_sha256 (also a root attribute): SHA-256 over the sorted list of (path,
    /// type, shape, units, XXH3-128 of leaves of 64 subjects), as lower-case hex
    std::string finish();

    std::vector<std::string> paths() const; ///< of the variables added, sorted

    /// The digest of one variable so far, hex: what must not change when others are added.
    std::string variable_digest(const std::string& path) const;
    /// The same of one arm alone: what must not change when arms are added.
    std::string arm_digest(const std::string& path, int arm) const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Subjects per chunk: the largest power of two in 64…1024 whose chunk of `n_times` doubles stays
/// ≤ 512 KiB, else 64. From the layout alone.
std::uint64_t chunk_subjects(std::size_t longest_n_times);

/// Reads a finished file, for export and comparison. Subjects are read in stretches: a file may be
/// larger than the memory.
class ResultReader {
public:
    /// @throws std::runtime_error if it is no file of a layout this program knows
    explicit ResultReader(const std::filesystem::path& path);
    ~ResultReader();
    ResultReader(const ResultReader&) = delete;
    ResultReader& operator=(const ResultReader&) = delete;

    /// Axes excluded, as they were written. The axis `replicate` is not among a variable's: what is
    /// read is of the replicate that is selected.
    std::vector<Variable> variables() const;
    std::size_t n_replicates() const;                  ///< 0: the study has none
    void select_replicate(std::size_t replicate);      ///< 0 at first
    bool is_replicated(const std::string& path) const; ///< whether it has that axis
    Axis axis(const std::string& name) const;
    std::uint64_t axis_size(const std::string& name) const;
    std::string attribute(const std::string& name) const;       ///< "" if absent
    std::string provenance(const std::string& name) const;      ///< attribute or text; "" if absent
    std::string variable_digest(const std::string& path) const; ///< as stored
    std::string arm_digest(const std::string& path, int arm) const; ///< of the values as they are

    /// Subjects [first, first + count) of a variable, [count × remaining axes]; arm −1 if it has
    /// none: [first, first + count) then runs along its first axis. Integers and category codes
    /// become reals; codes also become texts.
    std::vector<double>
    reals(const std::string& path, int arm, std::uint64_t first, std::uint64_t count) const;
    std::vector<std::string>
    texts(const std::string& path, int arm, std::uint64_t first, std::uint64_t count) const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

std::string sha256_hex(std::string_view bytes);

} // namespace gemel::io
