#include "journal.hpp"
#include "layout.hpp"
#include "leaf_store.hpp"
#include "text_spool.hpp"

#include <gemel/io/output_file.hpp>
#include <gemel/io/result_file.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <map>
#include <mutex>
#include <stdexcept>
#include <utility>

namespace gemel::io {

namespace {

constexpr const char* layout_note =
    "Axes are in C order: (arm, subject, time). R and MATLAB show them reversed.";

/// What every HDF5 file begins with, and so what a killed run leaves.
constexpr std::string_view hdf5_signature = "\x89HDF\r\n\x1a\n";

bool is_good_name(std::string_view name) {
    const auto is_letter = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    };
    const auto is_good = [&](char c) {
        return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '+';
    };
    return !name.empty() && is_letter(name[0]) && std::all_of(name.begin(), name.end(), is_good);
}

bool is_good_path(std::string_view path) {
    while (true) {
        const auto slash = path.find('/');
        if (!is_good_name(path.substr(0, slash))) return false;
        if (slash == std::string_view::npos) return true;
        path.remove_prefix(slash + 1);
    }
}

/// CF separates meanings by spaces.
std::string one_word(std::string meaning) {
    std::replace(meaning.begin(), meaning.end(), ' ', '_');
    return meaning;
}

} // namespace

struct ResultFile::Impl {
    struct StoredVariable {
        Variable variable;
        Shape shape;
        std::uint64_t number = 0;     ///< in the order they were added
        std::uint64_t first_leaf = 0; ///< in the store, [arm × leaf]
        h5::Placement placement;      ///< of numbers; texts have none

        std::uint64_t leaf(std::size_t arm, std::uint64_t within) const {
            return first_leaf + arm * shape.leaves_per_arm() + within;
        }
        std::uint64_t n_leaves() const { return shape.n_slices() * shape.leaves_per_arm(); }
    };

    Impl(const std::filesystem::path& target, const ResultFileOptions& options)
        : output(target, hdf5_signature, OutputFile::Part::as_it_is),
          path(output.path()),
          part(output.part()),
          key(options.key),
          going_on(journal_of_before(options.restarts)),
          leaves(side_file("leaves")),
          texts(side_file("texts")) {
        if (going_on) {
            output.keep();
        } else {
            start_anew();
        }
    }

    void start_anew() {
        try {
            output.resize(0);
            // By which a later run knows what it takes over.
            output.write_at(0, hdf5_signature.data(), hdf5_signature.size());
        } catch (const std::runtime_error&) {
            remove_side_files(); // a disk that is quite full; no destructor will
            throw;
        }
    }

    std::string side_name(const char* what) const { return part + "." + what; }

    disk::SideFile side_file(const char* what) const {
        return key.empty() ? disk::SideFile::unnamed(part)
                           : disk::SideFile::named(side_name(what), !going_on);
    }

    /// What to go on from. A journal that is not gone on from is removed first of all: it must not
    /// outlive what it tells of.
    std::optional<Journal> journal_of_before(bool restarts) {
        if (key.find_first_of(" \n\t") != std::string::npos)
            throw std::invalid_argument("the key of a result file is one word");
        const bool has_part = output.size() > hdf5_signature.size();
        std::optional<Journal> journal = read_journal(side_name("journal"));
        if (has_part && !restarts && !key.empty() && journal) {
            if (journal->key == key) return journal;
            output.keep();
            throw std::runtime_error(fmt::format(
                "{} is what an interrupted run of something else left: another study, model, "
                "input, "
                "seed, size or version; let that one finish, choose another name, or start over "
                "with --restart",
                part));
        }
        if (std::filesystem::remove(side_name("journal"))) disk::sync_folder_of(path);
        return std::nullopt;
    }

    void remove_side_files() const {
        std::error_code error;
        for (const char* what : {"journal", "journal.next", "leaves", "texts"})
            std::filesystem::remove(side_name(what), error);
    }

    ~Impl() {
        if (!going_on && !has_checkpoint) remove_side_files();
    }

    /// Runs an operation of HDF5; its failure names the file.
    template <typename Operation>
    auto guarded(const Operation& operation) {
        const h5::SilentErrors silence;
        try {
            return operation();
        } catch (const h5::Failure& failure) {
            throw std::runtime_error(part + ": " + failure.what());
        }
    }

    void require_unfinished() const {
        if (is_finished)
            throw std::invalid_argument("the result file " + path.string() + " is finished");
    }

    void check_new_name(const std::string& name) const {
        require_unfinished();
        if (has_begun) throw std::invalid_argument("'" + name + "' comes after writing has begun");
        if (!is_good_path(name) || name.starts_with("provenance/"))
            throw std::invalid_argument("'" + name + "' is no name for results");
        if (axes.contains(name) || variables.contains(name))
            throw std::invalid_argument("'" + name + "' is in the result file already");
    }

    h5::Extent extent_of(const Variable& variable) const {
        h5::Extent extent;
        for (const std::string& axis : variable.axes) {
            const auto at = axes.find(axis);
            if (at == axes.end())
                throw std::invalid_argument(
                    fmt::format("variable '{}': there is no axis '{}'", variable.path, axis));
            extent.push_back(at->second.size());
        }
        return extent;
    }

    const StoredVariable& find(const std::string& name) const {
        const auto at = variables.find(name);
        if (at == variables.end())
            throw std::invalid_argument("there is no variable '" + name + "' in the result file");
        return at->second;
    }

    /// Everything is declared: the file is laid out, and HDF5 does not see it again until the end.
    void begin() {
        require_unfinished();
        std::call_once(once, [&] {
            guarded([&] {
                choose_chunk();
                going_on ? lay_out_again() : lay_out(part);
            });
            output.take_space();
            has_begun = true;
        });
    }

    void choose_chunk() {
        n_chunk_subjects = 1024;
        for (const auto& [name, stored] : variables)
            if (stored.shape.has_subject)
                n_chunk_subjects =
                    std::min(n_chunk_subjects, chunk_subjects(stored.shape.cells_per_subject()));
    }

    h5::Extent chunk_of(const Shape& shape) const {
        const bool is_empty = std::count(shape.extent.begin(), shape.extent.end(), 0u) > 0;
        if (!shape.has_subject || is_empty) return {};
        return shape.slab(0, 0, std::min(n_chunk_subjects, shape.n_subjects())).count;
    }

    std::uint64_t chunks_per_slice(const Shape& shape) const {
        const std::uint64_t chunk = std::min(n_chunk_subjects, shape.n_subjects());
        return (shape.n_subjects() + chunk - 1) / chunk;
    }

    std::uint64_t n_chunks() const {
        std::uint64_t n = 0;
        for (const auto& [name, stored] : variables)
            if (!chunk_of(stored.shape).empty())
                n += stored.shape.n_slices() * chunks_per_slice(stored.shape);
        return n;
    }

    /// Axes and empty variables; numbers take their places. The same bytes for the same layout.
    void lay_out(const std::string& name) {
        h5::File file = h5::File::create(name, n_chunks());
        file.set("/", "Conventions", std::string("CF-1.10"));
        file.set("/", "layout", std::string(result_layout));
        file.set("/", "layout_note", std::string(layout_note));
        std::map<std::string, h5::Dataset> scales;
        for (const std::string& axis : axis_order)
            scales.emplace(axis, write_axis(axes.at(axis), file));
        for (const std::string& variable : variable_order)
            create(variables.at(variable), scales, file);
        for (auto& [axis, scale] : scales)
            if (!scale.close()) throw h5::Failure("closing " + axis);
        file.close();
    }

    void create(StoredVariable& stored,
                const std::map<std::string, h5::Dataset>& scales,
                h5::File& file) {
        const Variable& variable = stored.variable;
        h5::Dataset dataset = file.create_dataset(
            variable.path, cell_of(variable.type), stored.shape.extent, chunk_of(stored.shape));
        for (std::size_t i = 0; i < variable.axes.size(); ++i)
            file.attach_scale(dataset, scales.at(variable.axes[i]), static_cast<unsigned>(i));
        describe(variable, file);
        if (variable.type != ValueType::text) stored.placement = dataset.placement();
        if (!dataset.close()) throw h5::Failure("closing " + variable.path);
    }

    static void describe(const Variable& variable, h5::File& file) {
        const std::string& name = variable.path;
        if (variable.type == ValueType::real)
            file.set(name, "_FillValue", std::array{std::numeric_limits<double>::quiet_NaN()});
        file.set(name, "units", variable.units);
        if (!variable.long_name.empty()) file.set(name, "long_name", variable.long_name);
        if (variable.type == ValueType::category) {
            std::vector<std::uint8_t> codes(variable.meanings.size());
            for (std::size_t i = 0; i < codes.size(); ++i)
                codes[i] = static_cast<std::uint8_t>(i);
            file.set(name, "flag_values", codes);
            file.set(name, "flag_meanings", fmt::format("{}", fmt::join(variable.meanings, " ")));
        }
        for (const auto& [key, text] : variable.attributes)
            file.set(name, key, text);
    }

    /// Puts back everything but the numbers: an end that was interrupted may have left it in any
    /// state.
    void lay_out_again() {
        const std::string fresh = side_name("fresh");
        lay_out(fresh);
        disk::SideFile from = disk::SideFile::named(fresh, false);
        const std::uint64_t size = std::filesystem::file_size(fresh);
        std::filesystem::remove(fresh);
        if (places_digest() != going_on->places || output.size() < size)
            throw std::runtime_error(part + " was laid out otherwise than this program does; start "
                                            "over with --restart");
        std::uint64_t at = 0;
        for (const auto& [start, end] : number_extents()) {
            copy(from, at, start);
            at = end;
        }
        copy(from, at, size);
        output.resize(size);
        texts.shorten(going_on->text_size);
    }

    void copy(const disk::SideFile& from, std::uint64_t start, std::uint64_t end) {
        std::vector<char> bytes(std::min<std::uint64_t>(1 << 20, end - start));
        for (; start < end; start += bytes.size()) {
            bytes.resize(std::min<std::uint64_t>(bytes.size(), end - start));
            if (from.read_at(start, bytes.data(), bytes.size()) != bytes.size())
                throw std::runtime_error(part + ": laying it out again: it is shorter than it was");
            output.write_at(start, bytes.data(), bytes.size());
        }
    }

    /// [start, end) of all numbers, ascending.
    std::vector<std::pair<std::uint64_t, std::uint64_t>> number_extents() const {
        std::vector<std::pair<std::uint64_t, std::uint64_t>> extents;
        for (const auto& [name, stored] : variables) {
            const h5::Placement& placement = stored.placement;
            for (std::size_t i = 0; i < placement.stretches.size(); ++i) {
                const std::uint64_t end_chunk = i + 1 < placement.stretches.size()
                                                    ? placement.stretches[i + 1].first_chunk
                                                    : placement.n_chunks;
                const h5::Placement::Stretch& stretch = placement.stretches[i];
                extents.emplace_back(stretch.address,
                                     stretch.address +
                                         (end_chunk - stretch.first_chunk) * placement.chunk_bytes);
            }
        }
        std::sort(extents.begin(), extents.end());
        return extents;
    }

    std::string places_digest() const {
        std::string list;
        for (const auto& [name, stored] : variables) {
            list += fmt::format("{} {}", name, stored.placement.chunk_bytes);
            for (const h5::Placement::Stretch& stretch : stored.placement.stretches)
                list += fmt::format(" {}:{}", stretch.first_chunk, stretch.address);
            list += '\n';
        }
        return sha256_hex(list);
    }

    template <typename T>
    void write(const std::string& name,
               ValueType type,
               int arm,
               std::uint64_t first,
               std::span<const T> values) {
        const StoredVariable& stored = find(name);
        const std::uint64_t count = check_block(stored, type, arm, first, values.size());
        check_replicate(stored);
        begin();
        put(stored,
            stored.shape.slice(replicate, static_cast<std::size_t>(std::max(arm, 0))),
            first,
            count,
            values);
    }

    void check_replicate(const StoredVariable& stored) const {
        if (stored.shape.has_replicate && replicate >= stored.shape.n_replicates())
            throw std::invalid_argument(fmt::format(
                "writing '{}': there is no replicate {}", stored.variable.path, replicate));
    }

    /// @returns the number of subjects
    static std::uint64_t check_block(const StoredVariable& stored,
                                     ValueType type,
                                     int arm,
                                     std::uint64_t first,
                                     std::uint64_t n_values) {
        const Shape& shape = stored.shape;
        const auto refuse = [&](const std::string& why) {
            throw std::invalid_argument(fmt::format("writing '{}', arm {}, from subject {}: {}",
                                                    stored.variable.path,
                                                    arm,
                                                    first,
                                                    why));
        };
        if (stored.variable.type != type) refuse("the values are of another type");
        if (!shape.has_subject) refuse("it has no subject axis");
        if (shape.has_arm ? arm < 0 || static_cast<std::size_t>(arm) >= shape.n_arms() : arm != -1)
            refuse("there is no such arm");
        const std::uint64_t cells = shape.cells_per_subject();
        if (cells == 0 || n_values % cells != 0)
            refuse(fmt::format("{} values are no whole number of subjects", n_values));
        const std::uint64_t count = n_values / cells;
        if (first % leaf_subjects != 0) refuse("blocks begin at multiples of 64");
        if (first + count > shape.n_subjects()) refuse("the block goes beyond the last subject");
        if (count % leaf_subjects != 0 && first + count != shape.n_subjects())
            refuse("blocks end at multiples of 64 or at the last subject");
        return count;
    }

    /// From any thread.
    template <typename T>
    void put(const StoredVariable& stored,
             std::size_t slice,
             std::uint64_t first,
             std::uint64_t count,
             std::span<const T> values) {
        if (values.empty()) return;
        if constexpr (std::is_same_v<T, std::string>) {
            texts.append({stored.number, slice, first}, values);
        } else if constexpr (std::is_same_v<T, double>) {
            if (has_missing(values)) {
                std::vector<double> canonical(values.begin(), values.end());
                canonicalise_missing(canonical);
                return put_numbers(stored, slice, first, count, std::span<const T>(canonical));
            }
        }
        put_numbers(stored, slice, first, count, values);
    }

    /// Leaves first: the numbers are in the cache then.
    template <typename T>
    void put_numbers(const StoredVariable& stored,
                     std::size_t slice,
                     std::uint64_t first,
                     std::uint64_t count,
                     std::span<const T> values) {
        leaves.put(stored.leaf(slice, first / leaf_subjects),
                   leaves_of(values, stored.shape, count));
        if constexpr (!std::is_same_v<T, std::string>) put_cells(stored, slice, first, values);
    }

    /// To their places, a piece of a chunk at a time.
    template <typename T>
    void put_cells(const StoredVariable& stored,
                   std::size_t slice,
                   std::uint64_t first,
                   std::span<const T> values) {
        const Shape& shape = stored.shape;
        const std::uint64_t cells = shape.cells_per_subject();
        if (!shape.has_subject)
            return output.write_at(stored.placement.address(0) + slice * cells * sizeof(T),
                                   values.data(),
                                   values.size_bytes());
        const std::uint64_t chunk = std::min(n_chunk_subjects, shape.n_subjects());
        for (; !values.empty();) {
            const std::uint64_t within = first % chunk;
            const std::uint64_t n = std::min(chunk - within, values.size() / cells);
            const std::uint64_t number = slice * chunks_per_slice(shape) + first / chunk;
            output.write_at(stored.placement.address(number) + within * cells * sizeof(T),
                            values.data(),
                            n * cells * sizeof(T));
            values = values.subspan(n * cells);
            first += n;
        }
    }

    template <typename T>
    void write_all(const std::string& name, ValueType type, std::span<const T> values) {
        const StoredVariable& stored = find(name);
        const Shape& shape = stored.shape;
        const std::uint64_t cells = shape.cells_per_subject();
        if (stored.variable.type != type || shape.has_subject ||
            values.size() != cells * shape.n_arms())
            throw std::invalid_argument(fmt::format(
                "writing '{}': {} values of this type do not fit it", name, values.size()));
        check_replicate(stored);
        begin();
        for (std::size_t arm = 0; arm < shape.n_arms(); ++arm)
            put(stored, shape.slice(replicate, arm), 0, 1, values.subspan(arm * cells, cells));
    }

    /// The state first: what is finished by then is in the file.
    void checkpoint(const StateWriter& write_state) {
        begin();
        const std::lock_guard lock(checkpoint_mutex);
        NextJournal journal(side_name("journal"), key, places_digest());
        write_state([&](std::string_view bytes) { journal.add_state(bytes); });
        const std::uint64_t text_size = texts.size();
        output.sync();
        leaves.sync();
        texts.sync();
        journal.publish(text_size);
        has_checkpoint = true;
        output.keep();
    }

    /// What HDF5 alone can write: texts, attributes, digests.
    std::string complete() {
        h5::File file = h5::File::open(part);
        for (const auto& add : pending_attributes)
            add(file);
        write_texts(file);
        const std::string sealed = seal(file);
        file.close();
        return sealed;
    }

    void write_texts(h5::File& file) const {
        std::optional<h5::Dataset> dataset;
        for (const TextSpool::Place& place : texts.places()) {
            const std::string& name = variable_order[place.block.variable];
            if (!dataset || dataset->path() != name) dataset = file.open_dataset(name);
            const Shape& shape = find(name).shape;
            const h5::Slab slab = shape.slab(
                place.block.slice, place.block.first, place.n_texts / shape.cells_per_subject());
            dataset->write(slab, std::span<const std::string>(texts.read(place)));
        }
    }

    void require_written(const StoredVariable& stored) const {
        if (stored.shape.cells_per_subject() == 0) return;
        const auto missing = leaves.first_missing(stored.first_leaf, stored.n_leaves());
        if (!missing) return;
        const std::uint64_t leaf = *missing - stored.first_leaf;
        throw std::invalid_argument(
            fmt::format("variable '{}' is not written from arm {}, subject {}",
                        stored.variable.path,
                        leaf / stored.shape.leaves_per_arm() % stored.shape.n_arms(),
                        leaf % stored.shape.leaves_per_arm() * leaf_subjects));
    }

    std::string seal(h5::File& file) const {
        std::vector<std::pair<std::string, std::string>> digests;
        for (const auto& [name, stored] : variables) {
            require_written(stored);
            digests.emplace_back(name, digest(stored));
            file.set(name, digest_attribute, digests.back().second);
        }
        for (const auto& [name, axis] : axes)
            digests.emplace_back(
                name, digest_of(axis_heading(axis), std::array<Leaf, 1>{axis_leaf(axis)}));
        std::sort(digests.begin(), digests.end());
        const std::string result = results_digest(digests);
        file.set("/", "results_sha256", result);
        return result;
    }

    std::string digest(const StoredVariable& stored) const {
        return leaves.digest(variable_heading(stored.variable, stored.shape.extent),
                             stored.first_leaf,
                             stored.n_leaves());
    }

    /// Reads back what a reader would see: everything if it is small or of several runs, else the
    /// first and last leaf of every arm.
    void verify() const {
        const h5::File written = h5::File::open_read_only(part);
        for (const auto& [name, stored] : variables) {
            const h5::Dataset dataset = written.open_dataset(name);
            if (dataset.extent() != stored.shape.extent)
                throw h5::Failure("verifying " + name + ": its shape is not what was written");
            const std::uint64_t n = stored.shape.leaves_per_arm();
            if (stored.shape.cells_per_subject() == 0) continue;
            for (std::size_t slice = 0; slice < stored.shape.n_slices(); ++slice)
                for (std::uint64_t leaf = 0; leaf < n; ++leaf)
                    if (is_small() || going_on || leaf == 0 || leaf + 1 == n)
                        verify_leaf(stored, dataset, slice, leaf);
        }
    }

    void verify_leaf(const StoredVariable& stored,
                     const h5::Dataset& dataset,
                     std::size_t slice,
                     std::uint64_t leaf) const {
        const Shape& shape = stored.shape;
        const std::uint64_t first = leaf * leaf_subjects;
        const std::uint64_t count = std::min(leaf_subjects, shape.n_subjects() - first);
        const std::vector<Leaf> read = read_leaves(dataset, shape, slice, first, count);
        if (read != leaves.get(stored.leaf(slice, leaf), 1))
            throw h5::Failure(fmt::format("verifying {}: arm {} from subject {} reads otherwise "
                                          "than it was written",
                                          stored.variable.path,
                                          slice % shape.n_arms(),
                                          first));
    }

    bool is_small() const {
        std::uint64_t bytes = 0;
        for (const auto& [name, stored] : variables)
            bytes += h5::Slab{{}, stored.shape.extent}.size() * sizeof(double);
        return bytes < (64u << 20);
    }

    OutputFile output; ///< holds the lock
    std::filesystem::path path;
    std::string part;
    std::string key; ///< "": nothing outlives this object unfinished
    std::optional<Journal> going_on;
    LeafStore leaves;
    TextSpool texts;
    std::map<std::string, Axis> axes;
    std::map<std::string, StoredVariable> variables;
    std::vector<std::string> axis_order, variable_order;
    std::vector<std::function<void(h5::File&)>> pending_attributes;
    std::uint64_t n_chunk_subjects = 0;
    std::size_t replicate = 0; ///< that is being written
    std::once_flag once;
    bool has_begun = false, has_checkpoint = false, is_finished = false;
    std::mutex checkpoint_mutex;
};

ResultFile::ResultFile(const std::filesystem::path& path, const ResultFileOptions& options)
    : impl_(std::make_unique<Impl>(path, options)) {}

ResultFile::~ResultFile() = default;

std::optional<std::string> ResultFile::take_state() {
    if (!impl_->going_on) return std::nullopt;
    return std::exchange(impl_->going_on->state, {});
}

void ResultFile::checkpoint(const StateWriter& write_state) {
    if (impl_->key.empty())
        throw std::invalid_argument("a result file without a key has no checkpoints");
    impl_->checkpoint(write_state);
}

void ResultFile::add(const Axis& axis) {
    impl_->check_new_name(axis.name);
    const int n_kinds =
        !axis.numbers.empty() + !axis.integers.empty() + !axis.labels.empty() + (axis.count > 0);
    if (n_kinds != 1)
        throw std::invalid_argument("axis '" + axis.name + "' needs values of one kind");
    Axis stored = axis;
    if (stored.units.empty()) {
        if (!stored.numbers.empty())
            throw std::invalid_argument("axis '" + axis.name + "' needs units");
        stored.units = "1";
    }
    impl_->axes.emplace(axis.name, std::move(stored));
    impl_->axis_order.push_back(axis.name);
}

void ResultFile::add(const Variable& variable) {
    impl_->check_new_name(variable.path);
    if (variable.units.empty())
        throw std::invalid_argument("variable '" + variable.path + "' needs units");
    if (variable.type == ValueType::category &&
        (variable.meanings.empty() || variable.meanings.size() > 256))
        throw std::invalid_argument("variable '" + variable.path +
                                    "' needs between 1 and 256 meanings");
    Impl::StoredVariable stored;
    stored.variable = variable;
    for (std::string& meaning : stored.variable.meanings)
        meaning = one_word(meaning);
    stored.shape = shape_of(variable, impl_->extent_of(variable));
    stored.number = impl_->variable_order.size();
    stored.first_leaf = impl_->leaves.reserve(stored.n_leaves());
    impl_->variables.emplace(variable.path, std::move(stored));
    impl_->variable_order.push_back(variable.path);
}

void ResultFile::select_replicate(std::size_t replicate) {
    impl_->replicate = replicate;
}

void ResultFile::write(const std::string& path,
                       int arm,
                       std::uint64_t first,
                       std::span<const double> values) {
    impl_->write(path, ValueType::real, arm, first, values);
}

void ResultFile::write(const std::string& path,
                       int arm,
                       std::uint64_t first,
                       std::span<const std::int64_t> values) {
    impl_->write(path, ValueType::integer, arm, first, values);
}

void ResultFile::write(const std::string& path,
                       int arm,
                       std::uint64_t first,
                       std::span<const std::uint8_t> values) {
    const std::size_t n_meanings = impl_->find(path).variable.meanings.size();
    for (const std::uint8_t code : values)
        if (code >= n_meanings)
            throw std::invalid_argument(
                fmt::format("writing '{}': code {} has no meaning", path, code));
    impl_->write(path, ValueType::category, arm, first, values);
}

void ResultFile::write(const std::string& path,
                       int arm,
                       std::uint64_t first,
                       const std::vector<std::string>& values) {
    impl_->write(path, ValueType::text, arm, first, std::span<const std::string>(values));
}

void ResultFile::write_all(const std::string& path, std::span<const double> values) {
    impl_->write_all(path, ValueType::real, values);
}

void ResultFile::write_all(const std::string& path, std::span<const std::int64_t> values) {
    impl_->write_all(path, ValueType::integer, values);
}

void ResultFile::write_all(const std::string& path, std::span<const std::uint8_t> values) {
    impl_->write_all(path, ValueType::category, values);
}

void ResultFile::write_all(const std::string& path, const std::vector<std::string>& values) {
    impl_->write_all(path, ValueType::text, std::span<const std::string>(values));
}

void ResultFile::attribute(const std::string& name, const std::string& value) {
    impl_->pending_attributes.push_back([=](h5::File& file) { file.set("/", name, value); });
}

void ResultFile::attribute(const std::string& name, std::int64_t value) {
    impl_->pending_attributes.push_back([=](h5::File& file) { file.set("/", name, value); });
}

void ResultFile::provenance(const std::string& name, const std::string& value) {
    impl_->pending_attributes.push_back([=](h5::File& file) {
        file.make_group("provenance");
        file.set("provenance", name, value);
    });
}

void ResultFile::provenance_text(const std::string& name, const std::string& text) {
    impl_->pending_attributes.push_back([=](h5::File& file) {
        const std::string path = "provenance/" + name;
        file.create_dataset(path, h5::Cell::text, {}, {})
            .write(h5::Slab{}, std::span<const std::string>(&text, 1));
        file.set(path, "units", std::string("1"));
    });
}

std::string ResultFile::finish() {
    impl_->begin();
    const std::string digest = impl_->guarded([&] {
        std::string sealed = impl_->complete();
        impl_->verify();
        return sealed;
    });
    impl_->output.publish([&] { impl_->remove_side_files(); });
    impl_->is_finished = true;
    return digest;
}

std::vector<std::string> ResultFile::paths() const {
    std::vector<std::string> paths;
    for (const auto& [path, stored] : impl_->variables)
        paths.push_back(path);
    return paths;
}

std::string ResultFile::variable_digest(const std::string& path) const {
    return impl_->digest(impl_->find(path));
}

std::string ResultFile::arm_digest(const std::string& path, int arm) const {
    const Impl::StoredVariable& stored = impl_->find(path);
    const std::uint64_t n = stored.shape.leaves_per_arm();
    if (arm < 0 || static_cast<std::size_t>(arm) >= stored.shape.n_arms())
        throw std::invalid_argument(fmt::format("'{}' has no arm {}", path, arm));
    return impl_->leaves.digest(
        arm_heading(stored.variable, stored.shape),
        stored.leaf(stored.shape.slice(impl_->replicate, static_cast<std::size_t>(arm)), 0),
        n);
}

} // namespace gemel::io
