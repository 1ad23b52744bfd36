#include "layout.hpp"

#include <gemel/io/result_file.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

namespace gemel::io {

namespace {

std::vector<std::string> words_of(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> words;
    for (std::string word; stream >> word;)
        words.push_back(word);
    return words;
}

/// Attributes that are members of Variable, or HDF5's own.
bool is_own_attribute(const std::string& name) {
    static constexpr std::string_view own[] = {"_FillValue",
                                               "units",
                                               "long_name",
                                               "flag_values",
                                               "flag_meanings",
                                               "DIMENSION_LIST",
                                               digest_attribute};
    return std::find(std::begin(own), std::end(own), name) != std::end(own);
}

ValueType type_of(h5::Cell cell) {
    switch (cell) {
    case h5::Cell::real:
        return ValueType::real;
    case h5::Cell::integer:
        return ValueType::integer;
    case h5::Cell::byte:
        return ValueType::category;
    case h5::Cell::text:
        break;
    }
    return ValueType::text;
}

} // namespace

struct ResultReader::Impl {
    static h5::File opened(const std::filesystem::path& path) {
        std::error_code error;
        if (!std::filesystem::exists(path, error))
            throw std::runtime_error(path.string() + ": there is no such file");
        const h5::SilentErrors silence;
        try {
            h5::File file = h5::File::open_read_only(path);
            const std::string layout = file.attribute("/", "layout").value_or("");
            if (layout != result_layout)
                throw std::runtime_error(fmt::format("{}: this is no result file of layout {}{}",
                                                     path.string(),
                                                     result_layout,
                                                     layout.empty() ? "" : ", but of " + layout));
            return file;
        } catch (const h5::Failure& failure) {
            throw std::runtime_error(path.string() + ": " + failure.what());
        }
    }

    template <typename Operation>
    auto guarded(const Operation& operation) const {
        const h5::SilentErrors silence;
        try {
            return operation();
        } catch (const h5::Failure& failure) {
            throw std::runtime_error(name + ": " + failure.what());
        }
    }

    explicit Impl(const std::filesystem::path& path) : name(path.string()), file(opened(path)) {
        guarded([&] { list_contents(); });
    }

    void list_contents() {
        for (const std::string& path : file.dataset_paths()) {
            if (path.starts_with("provenance/")) continue;
            const h5::Dataset dataset = file.open_dataset(path);
            if (dataset.is_scale()) continue;
            variables.emplace(path, variable(dataset));
            order.push_back(path);
        }
    }

    Variable variable(const h5::Dataset& dataset) {
        const std::string& path = dataset.path();
        Variable variable{.path = path, .type = type_of(dataset.cell())};
        variable.axes = dataset.scale_names();
        if (!variable.axes.empty() && variable.axes.front() == replicate_axis) {
            variable.axes.erase(variable.axes.begin());
            replicated.insert(path);
        }
        variable.units = file.attribute(path, "units").value_or("");
        variable.long_name = file.attribute(path, "long_name").value_or("");
        variable.meanings = words_of(file.attribute(path, "flag_meanings").value_or(""));
        for (const std::string& key : file.attribute_names(path))
            if (!is_own_attribute(key))
                if (auto text = file.attribute(path, key))
                    variable.attributes.emplace_back(key, *text);
        return variable;
    }

    const Variable& find(const std::string& path) const {
        const auto at = variables.find(path);
        if (at == variables.end())
            throw std::invalid_argument(fmt::format("{}: there is no variable '{}'", name, path));
        return at->second;
    }

    /// arm −1: [first, first + count) runs along the first axis.
    h5::Slab slab(const Variable& variable,
                  const h5::Extent& extent,
                  int arm,
                  std::uint64_t first,
                  std::uint64_t count) const {
        const auto refuse = [&] {
            throw std::invalid_argument(fmt::format("reading '{}': arm {}, [{}, {}) is beyond it",
                                                    variable.path,
                                                    arm,
                                                    first,
                                                    first + count));
        };
        h5::Slab slab{h5::Extent(extent.size(), 0), extent};
        std::size_t axis = 0;
        if (replicated.contains(variable.path)) {
            if (replicate >= extent[0]) refuse();
            slab.start[0] = replicate;
            slab.count[0] = 1;
            axis = 1;
        }
        if (arm >= 0) {
            const bool has_arm = !variable.axes.empty() && variable.axes[0] == "arm";
            if (!has_arm || static_cast<std::uint64_t>(arm) >= extent[axis]) refuse();
            slab.start[axis] = static_cast<std::uint64_t>(arm);
            slab.count[axis] = 1;
            ++axis;
        }
        if (axis == extent.size()) return slab;
        if (first > extent[axis] || count > extent[axis] - first) refuse();
        slab.start[axis] = first;
        slab.count[axis] = count;
        return slab;
    }

    std::string name;
    h5::File file;
    std::map<std::string, Variable> variables;
    std::vector<std::string> order;   ///< paths as they were written
    std::set<std::string> replicated; ///< paths with an axis of replicates
    std::size_t replicate = 0;        ///< that is read
};

ResultReader::ResultReader(const std::filesystem::path& path)
    : impl_(std::make_unique<Impl>(path)) {}

ResultReader::~ResultReader() = default;

std::vector<Variable> ResultReader::variables() const {
    std::vector<Variable> result;
    for (const std::string& path : impl_->order)
        result.push_back(impl_->variables.at(path));
    return result;
}

std::size_t ResultReader::n_replicates() const {
    if (impl_->replicated.empty()) return 0;
    return static_cast<std::size_t>(axis_size(replicate_axis));
}

void ResultReader::select_replicate(std::size_t replicate) {
    impl_->replicate = replicate;
}

bool ResultReader::is_replicated(const std::string& path) const {
    return impl_->replicated.contains(path);
}

Axis ResultReader::axis(const std::string& name) const {
    return impl_->guarded([&] {
        if (!impl_->file.has(name)) throw h5::Failure("there is no axis '" + name + "'");
        const h5::Dataset dataset = impl_->file.open_dataset(name);
        if (!dataset.is_scale()) throw h5::Failure("'" + name + "' is no axis");
        const h5::Slab all{{0}, dataset.extent()};
        Axis axis{.name = name};
        axis.long_name = impl_->file.attribute(name, "long_name").value_or("");
        axis.units = impl_->file.attribute(name, "units").value_or("");
        if (dataset.cell() == h5::Cell::real) axis.numbers = dataset.read_reals(all);
        if (dataset.cell() == h5::Cell::integer) axis.integers = dataset.read_integers(all);
        if (dataset.cell() == h5::Cell::text) axis.labels = dataset.read_texts(all);
        return axis;
    });
}

std::uint64_t ResultReader::axis_size(const std::string& name) const {
    return impl_->guarded([&] {
        if (!impl_->file.has(name)) throw h5::Failure("there is no axis '" + name + "'");
        return impl_->file.open_dataset(name).extent().at(0);
    });
}

std::string ResultReader::attribute(const std::string& name) const {
    return impl_->guarded([&] { return impl_->file.attribute("/", name).value_or(""); });
}

std::string ResultReader::provenance(const std::string& name) const {
    return impl_->guarded([&]() -> std::string {
        if (!impl_->file.has("provenance")) return {};
        if (auto text = impl_->file.attribute("provenance", name)) return *text;
        const std::string path = "provenance/" + name;
        if (!impl_->file.has(path)) return {};
        return impl_->file.open_dataset(path).read_texts(h5::Slab{}).front();
    });
}

std::string ResultReader::variable_digest(const std::string& path) const {
    impl_->find(path);
    return impl_->guarded(
        [&] { return impl_->file.attribute(path, digest_attribute).value_or(""); });
}

std::string ResultReader::arm_digest(const std::string& path, int arm) const {
    const Variable& variable = impl_->find(path);
    return impl_->guarded([&] {
        const h5::Dataset dataset = impl_->file.open_dataset(path);
        Variable whole = variable;
        if (is_replicated(path)) whole.axes.insert(whole.axes.begin(), replicate_axis);
        const Shape shape = shape_of(whole, dataset.extent());
        if (arm < 0 || static_cast<std::size_t>(arm) >= shape.n_arms())
            throw std::invalid_argument(fmt::format("'{}' has no arm {}", path, arm));
        constexpr std::uint64_t at_once = 64 * leaf_subjects;
        Digest digest(arm_heading(variable, shape));
        for (std::uint64_t first = 0; first < shape.n_subjects(); first += at_once)
            digest.add(read_leaves(dataset,
                                   shape,
                                   shape.slice(impl_->replicate, static_cast<std::size_t>(arm)),
                                   first,
                                   std::min(at_once, shape.n_subjects() - first)));
        return digest.hex();
    });
}

std::vector<double> ResultReader::reals(const std::string& path,
                                        int arm,
                                        std::uint64_t first,
                                        std::uint64_t count) const {
    const Variable& variable = impl_->find(path);
    if (variable.type == ValueType::text)
        throw std::invalid_argument("reading '" + path + "': it holds texts, not numbers");
    return impl_->guarded([&] {
        const h5::Dataset dataset = impl_->file.open_dataset(path);
        return dataset.read_reals(impl_->slab(variable, dataset.extent(), arm, first, count));
    });
}

std::vector<std::string> ResultReader::texts(const std::string& path,
                                             int arm,
                                             std::uint64_t first,
                                             std::uint64_t count) const {
    const Variable& variable = impl_->find(path);
    if (variable.type == ValueType::text)
        return impl_->guarded([&] {
            const h5::Dataset dataset = impl_->file.open_dataset(path);
            return dataset.read_texts(impl_->slab(variable, dataset.extent(), arm, first, count));
        });
    if (variable.type != ValueType::category)
        throw std::invalid_argument("reading '" + path + "': it holds numbers, not texts");
    std::vector<std::string> words;
    for (const double code : reals(path, arm, first, count)) {
        const auto index = static_cast<std::size_t>(code);
        words.push_back(index < variable.meanings.size() ? variable.meanings[index] : "");
    }
    return words;
}

} // namespace gemel::io
