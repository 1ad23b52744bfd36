#include "layout.hpp"
#include "leaf_store.hpp"

#include <gemel/io/output_file.hpp>
#include <gemel/io/result_file.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <stdexcept>

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
        h5::Dataset dataset;
        std::uint64_t first_leaf = 0; ///< in the store, [arm × leaf]

        std::uint64_t leaf(std::size_t arm, std::uint64_t within) const {
            return first_leaf + arm * shape.leaves_per_arm() + within;
        }
        std::uint64_t n_leaves() const { return shape.n_slices() * shape.leaves_per_arm(); }
    };

    explicit Impl(const std::filesystem::path& target)
        : output(target, hdf5_signature),
          path(output.path()),
          part(output.part()),
          leaves(part),
          file(created(part)) {}

    static h5::File created(const std::string& part) {
        const h5::SilentErrors silence;
        try {
            h5::File file = h5::File::create(part);
            file.flush(); // the signature, by which a later run knows what it takes over
            return file;
        } catch (const h5::Failure& failure) {
            throw std::runtime_error(part + ": " + failure.what());
        }
    }

    /// Runs an operation of HDF5; its failure names the file.
    template <typename Operation>
    auto guarded(const Operation& operation) {
        if (is_finished)
            throw std::invalid_argument("the result file " + path.string() + " is finished");
        const h5::SilentErrors silence;
        try {
            return operation();
        } catch (const h5::Failure& failure) {
            throw std::runtime_error(part + ": " + failure.what());
        }
    }

    void check_new_name(const std::string& name) const {
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

    StoredVariable& find(const std::string& name) {
        const auto at = variables.find(name);
        if (at == variables.end())
            throw std::invalid_argument("there is no variable '" + name + "' in the result file");
        return at->second;
    }

    /// The chunk is one for the file, so datasets are made when all longest axes are known.
    void create_pending() {
        for (const std::string& name : order) {
            StoredVariable& stored = variables.at(name);
            const std::uint64_t subjects = chunk_subjects_of(stored.shape);
            if (n_chunk_subjects != 0 && subjects < n_chunk_subjects)
                throw std::invalid_argument("variable '" + name +
                                            "' needs smaller chunks than those begun");
        }
        if (n_chunk_subjects == 0) {
            n_chunk_subjects = 1024;
            for (const auto& [name, stored] : variables)
                n_chunk_subjects = std::min(n_chunk_subjects, chunk_subjects_of(stored.shape));
        }
        for (const std::string& name : order)
            create(variables.at(name));
        order.clear();
    }

    static std::uint64_t chunk_subjects_of(const Shape& shape) {
        return shape.has_subject ? chunk_subjects(shape.cells_per_subject()) : 1024;
    }

    h5::Extent chunk_of(const Shape& shape) const {
        const bool is_empty = std::count(shape.extent.begin(), shape.extent.end(), 0u) > 0;
        if (!shape.has_subject || is_empty) return {};
        return shape.slab(0, 0, std::min(n_chunk_subjects, shape.n_subjects())).count;
    }

    void create(StoredVariable& stored) {
        const Variable& variable = stored.variable;
        stored.dataset = file.create_dataset(
            variable.path, cell_of(variable.type), stored.shape.extent, chunk_of(stored.shape));
        for (std::size_t i = 0; i < variable.axes.size(); ++i)
            file.attach_scale(
                stored.dataset, scales.at(variable.axes[i]), static_cast<unsigned>(i));
        describe(variable);
    }

    void describe(const Variable& variable) {
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

    template <typename T>
    void write(const std::string& name,
               ValueType type,
               int arm,
               std::uint64_t first,
               std::span<const T> values) {
        StoredVariable& stored = find(name);
        const std::uint64_t count = check_block(stored, type, arm, first, values.size());
        check_replicate(stored);
        const std::size_t slice =
            stored.shape.slice(replicate, static_cast<std::size_t>(std::max(arm, 0)));
        guarded([&] {
            create_pending();
            put(stored, slice, first, count, values);
        });
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

    template <typename T>
    void put(StoredVariable& stored,
             std::size_t slice,
             std::uint64_t first,
             std::uint64_t count,
             std::span<const T> values) {
        if (values.empty()) return;
        if constexpr (std::is_same_v<T, double>) {
            buffer.assign(values.begin(), values.end());
            canonicalise_missing(buffer);
            values = buffer;
        }
        stored.dataset.write(stored.shape.slab(slice, first, count), values);
        leaves.put(stored.leaf(slice, first / leaf_subjects),
                   leaves_of(values, stored.shape, count));
    }

    template <typename T>
    void write_all(const std::string& name, ValueType type, std::span<const T> values) {
        StoredVariable& stored = find(name);
        const Shape& shape = stored.shape;
        const std::uint64_t cells = shape.cells_per_subject();
        if (stored.variable.type != type || shape.has_subject ||
            values.size() != cells * shape.n_arms())
            throw std::invalid_argument(fmt::format(
                "writing '{}': {} values of this type do not fit it", name, values.size()));
        check_replicate(stored);
        guarded([&] {
            create_pending();
            for (std::size_t arm = 0; arm < shape.n_arms(); ++arm)
                put(stored, shape.slice(replicate, arm), 0, 1, values.subspan(arm * cells, cells));
        });
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

    std::string seal() {
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

    void close() {
        file.flush();
        for (auto& [name, stored] : variables)
            if (!stored.dataset.close()) throw h5::Failure("closing " + name);
        for (auto& [name, scale] : scales)
            if (!scale.close()) throw h5::Failure("closing " + name);
        file.close();
    }

    /// Reads back what a reader would see: everything if it is small, else the first and last leaf
    /// of every arm.
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
                    if (is_small() || leaf == 0 || leaf + 1 == n)
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

    OutputFile output; ///< outlives the file of HDF5
    std::filesystem::path path;
    std::string part;
    LeafStore leaves;
    h5::File file;
    std::map<std::string, Axis> axes;
    std::map<std::string, h5::Dataset> scales;
    std::map<std::string, StoredVariable> variables;
    std::vector<std::string> order; ///< variables not yet in the file
    std::vector<double> buffer;
    std::uint64_t n_chunk_subjects = 0;
    std::size_t replicate = 0; ///< that is being written
    bool is_finished = false;
};

ResultFile::ResultFile(const std::filesystem::path& path) : impl_(std::make_unique<Impl>(path)) {
    impl_->guarded([&] {
        impl_->file.set("/", "Conventions", std::string("CF-1.10"));
        impl_->file.set("/", "layout", std::string(result_layout));
        impl_->file.set("/", "layout_note", std::string(layout_note));
    });
}

ResultFile::~ResultFile() {
    const h5::SilentErrors silence; // closing may fail after a failure already told
    impl_.reset();
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
    impl_->guarded([&] { impl_->scales.emplace(stored.name, write_axis(stored, impl_->file)); });
    impl_->axes.emplace(axis.name, std::move(stored));
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
    stored.first_leaf = impl_->leaves.reserve(stored.n_leaves());
    impl_->variables.emplace(variable.path, std::move(stored));
    impl_->order.push_back(variable.path);
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
    impl_->guarded([&] { impl_->file.set("/", name, value); });
}

void ResultFile::attribute(const std::string& name, std::int64_t value) {
    impl_->guarded([&] { impl_->file.set("/", name, value); });
}

void ResultFile::provenance(const std::string& name, const std::string& value) {
    impl_->guarded([&] {
        impl_->file.make_group("provenance");
        impl_->file.set("provenance", name, value);
    });
}

void ResultFile::provenance_text(const std::string& name, const std::string& text) {
    impl_->guarded([&] {
        const std::string path = "provenance/" + name;
        impl_->file.create_dataset(path, h5::Cell::text, {}, {})
            .write(h5::Slab{}, std::span<const std::string>(&text, 1));
        impl_->file.set(path, "units", std::string("1"));
    });
}

std::string ResultFile::finish() {
    const std::string digest = impl_->guarded([&] {
        impl_->create_pending();
        std::string sealed = impl_->seal();
        impl_->close();
        impl_->verify();
        return sealed;
    });
    impl_->is_finished = true;
    impl_->output.publish();
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
