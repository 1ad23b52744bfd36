#include "layout.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <numeric>

namespace gemel::io {

namespace {

std::string heading(const std::string& path,
                    const std::string& type,
                    std::span<const std::uint64_t> extent,
                    const std::string& units) {
    return fmt::format("{}\n{}\n{}\n{}\n", path, type, fmt::join(extent, " "), units);
}

/// What a code means belongs to the type.
std::string type_text(const Variable& variable) {
    switch (variable.type) {
    case ValueType::real:
        return "real";
    case ValueType::integer:
        return "integer";
    case ValueType::category:
        return fmt::format("category {}", fmt::join(variable.meanings, " "));
    case ValueType::text:
        break;
    }
    return "text";
}

std::string axis_type(const Axis& axis) {
    if (!axis.numbers.empty()) return "real";
    return axis.labels.empty() ? "integer" : "text";
}

/// 1, 2, … count.
void write_numbers(std::uint64_t count, h5::Dataset& dataset) {
    constexpr std::uint64_t at_once = 65536;
    std::vector<std::int64_t> numbers(std::min(at_once, count));
    for (std::uint64_t first = 0; first < count; first += at_once) {
        const std::uint64_t n = std::min(at_once, count - first);
        std::iota(numbers.begin(), numbers.end(), static_cast<std::int64_t>(first + 1));
        dataset.write({{first}, {n}}, std::span<const std::int64_t>(numbers).first(n));
    }
}

} // namespace

std::uint64_t chunk_subjects(std::size_t longest_n_times) {
    constexpr std::uint64_t most_bytes = 512 * 1024;
    for (std::uint64_t subjects = 1024; subjects > leaf_subjects; subjects /= 2)
        if (subjects * longest_n_times * sizeof(double) <= most_bytes) return subjects;
    return leaf_subjects;
}

bool is_subject_axis(const std::string& name) {
    return name == "subject" || name.starts_with("subject_");
}

std::uint64_t Shape::cells_per_subject() const {
    std::uint64_t cells = 1;
    for (std::size_t i = n_outer() + has_subject; i < extent.size(); ++i)
        cells *= extent[i];
    return cells;
}

std::uint64_t Shape::leaves_per_arm() const {
    return (n_subjects() + leaf_subjects - 1) / leaf_subjects;
}

h5::Slab Shape::slab(std::size_t slice, std::uint64_t first, std::uint64_t count) const {
    h5::Slab slab{h5::Extent(extent.size(), 0), extent};
    const auto only = [&](std::size_t axis, std::uint64_t start, std::uint64_t n) {
        slab.start[axis] = start;
        slab.count[axis] = n;
    };
    if (has_replicate) only(0, slice / n_arms(), 1);
    if (has_arm) only(has_replicate, slice % n_arms(), 1);
    if (has_subject) only(n_outer(), first, count);
    return slab;
}

Shape shape_of(const Variable& variable, h5::Extent extent) {
    Shape shape{std::move(extent), false, false, false};
    for (std::size_t i = 0; i < variable.axes.size(); ++i) {
        const bool is_subject = is_subject_axis(variable.axes[i]);
        const bool is_arm = variable.axes[i] == "arm";
        const bool is_replicate = variable.axes[i] == replicate_axis;
        if ((is_replicate && i > 0) || (is_arm && i > std::size_t(shape.has_replicate)) ||
            (is_subject && i > shape.n_outer()))
            throw std::invalid_argument(fmt::format(
                "variable '{}': its axes must be [replicate,] [arm,] [subject,] others, "
                "not [{}]",
                variable.path,
                fmt::join(variable.axes, ", ")));
        shape.has_replicate = shape.has_replicate || is_replicate;
        shape.has_arm = shape.has_arm || is_arm;
        shape.has_subject = shape.has_subject || is_subject;
    }
    return shape;
}

h5::Cell cell_of(ValueType type) {
    switch (type) {
    case ValueType::real:
        return h5::Cell::real;
    case ValueType::integer:
        return h5::Cell::integer;
    case ValueType::category:
        return h5::Cell::byte;
    case ValueType::text:
        break;
    }
    return h5::Cell::text;
}

std::string variable_heading(const Variable& variable, const h5::Extent& extent) {
    return heading(variable.path, type_text(variable), extent, variable.units);
}

std::string arm_heading(const Variable& variable, const Shape& shape) {
    const std::span<const std::uint64_t> extent = shape.extent;
    return heading(
        variable.path, type_text(variable), extent.subspan(shape.n_outer()), variable.units);
}

std::string axis_heading(const Axis& axis) {
    const std::uint64_t size = axis.size();
    return heading(axis.name, axis_type(axis), {&size, 1}, axis.units);
}

Leaf axis_leaf(const Axis& axis) {
    if (!axis.numbers.empty()) return leaf_digest(std::span<const double>(axis.numbers));
    if (!axis.labels.empty()) return leaf_digest(std::span<const std::string>(axis.labels));
    if (axis.count > 0) return leaf_digest_of_numbers(axis.count);
    return leaf_digest(std::span<const std::int64_t>(axis.integers));
}

h5::Dataset write_axis(const Axis& axis, h5::File& file) {
    const h5::Cell cell = !axis.numbers.empty() ? h5::Cell::real
                          : axis.labels.empty() ? h5::Cell::integer
                                                : h5::Cell::text;
    const h5::Extent extent{axis.size()};
    h5::Dataset dataset = file.create_dataset(axis.name, cell, extent, {});
    const h5::Slab all{{0}, extent};
    if (!axis.numbers.empty()) dataset.write(all, std::span<const double>(axis.numbers));
    if (!axis.integers.empty()) dataset.write(all, std::span<const std::int64_t>(axis.integers));
    if (!axis.labels.empty()) dataset.write(all, std::span<const std::string>(axis.labels));
    if (axis.count > 0) write_numbers(axis.count, dataset);
    file.make_scale(dataset, axis.name);
    file.set(axis.name, "units", axis.units);
    if (!axis.long_name.empty()) file.set(axis.name, "long_name", axis.long_name);
    return dataset;
}

std::string results_digest(const std::vector<std::pair<std::string, std::string>>& sorted) {
    std::string list;
    for (const auto& [path, digest] : sorted)
        list += path + ' ' + digest + '\n';
    return sha256_hex(list);
}

std::vector<Leaf> read_leaves(const h5::Dataset& dataset,
                              const Shape& shape,
                              std::size_t slice,
                              std::uint64_t first,
                              std::uint64_t count) {
    const h5::Slab slab = shape.slab(slice, first, count);
    const auto cut = [&]<typename T>(const std::vector<T>& values) {
        return leaves_of(std::span<const T>(values), shape, count);
    };
    switch (dataset.cell()) {
    case h5::Cell::real: {
        std::vector<double> values = dataset.read_reals(slab);
        canonicalise_missing(values);
        return cut(values);
    }
    case h5::Cell::integer:
        return cut(dataset.read_integers(slab));
    case h5::Cell::byte:
        return cut(dataset.read_bytes(slab));
    case h5::Cell::text:
        break;
    }
    return cut(dataset.read_texts(slab));
}

} // namespace gemel::io
