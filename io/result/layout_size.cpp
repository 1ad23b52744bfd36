#include "layout.hpp"

#include <gemel/io/result_file.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <stdexcept>

namespace gemel::io {

namespace {

/// Header, attributes and their places of a dataset, as HDF5 1.10 lays them out for this layout.
constexpr double bytes_per_dataset = 1200.0;
/// A key and an address in the tree of chunks, whose nodes are between half full and full.
constexpr double bytes_per_chunk = 80.0;
/// A reference, and in the heap a header and the text, a few letters, in whole words of 8.
constexpr double bytes_per_text = 16.0 + 16.0 + 8.0;

double bytes_per_cell(ValueType type) {
    switch (type) {
    case ValueType::real:
    case ValueType::integer:
        return 8.0;
    case ValueType::category:
        return 1.0;
    case ValueType::text:
        break;
    }
    return bytes_per_text;
}

} // namespace

struct LayoutSize::Impl {
    struct Stored {
        std::string path;
        ValueType type = ValueType::real;
        Shape shape;
    };

    std::uint64_t subjects_per_chunk() const {
        std::uint64_t subjects = 1024;
        for (const Stored& stored : variables)
            if (stored.shape.has_subject)
                subjects = std::min(subjects, chunk_subjects(stored.shape.cells_per_subject()));
        return subjects;
    }

    /// Chunks are stored whole, the last one, too.
    double bytes_of(const Stored& stored, std::uint64_t chunk) const {
        double cells = 1.0;
        for (const std::uint64_t n : stored.shape.extent)
            cells *= static_cast<double>(n);
        if (!stored.shape.has_subject || cells == 0.0)
            return cells * bytes_per_cell(stored.type) + bytes_per_dataset;
        const std::uint64_t n = stored.shape.n_subjects();
        const std::uint64_t size = std::min(chunk, n);
        const auto n_chunks = static_cast<double>((n + size - 1) / size);
        cells *= n_chunks * static_cast<double>(size) / static_cast<double>(n);
        return cells * bytes_per_cell(stored.type) + bytes_per_dataset +
               bytes_per_chunk * n_chunks * static_cast<double>(stored.shape.n_slices());
    }

    std::map<std::string, std::uint64_t> sizes; ///< of axes
    std::vector<Part> axes;
    std::vector<Stored> variables;
};

LayoutSize::LayoutSize() : impl_(std::make_unique<Impl>()) {}

LayoutSize::LayoutSize(LayoutSize&& other) noexcept = default;

LayoutSize::~LayoutSize() = default;

void LayoutSize::add(const Axis& axis) {
    impl_->sizes.emplace(axis.name, axis.size());
    const double cell = axis.labels.empty() ? 8.0 : bytes_per_text;
    impl_->axes.push_back({axis.name, static_cast<double>(axis.size()) * cell + bytes_per_dataset});
}

void LayoutSize::add(const Variable& variable) {
    h5::Extent extent;
    for (const std::string& axis : variable.axes) {
        const auto at = impl_->sizes.find(axis);
        if (at == impl_->sizes.end())
            throw std::invalid_argument(
                fmt::format("variable '{}': there is no axis '{}'", variable.path, axis));
        extent.push_back(at->second);
    }
    impl_->variables.push_back({variable.path, variable.type, shape_of(variable, extent)});
}

std::vector<LayoutSize::Part> LayoutSize::parts() const {
    std::vector<Part> parts = impl_->axes;
    const std::uint64_t chunk = impl_->subjects_per_chunk();
    for (const Impl::Stored& stored : impl_->variables)
        parts.push_back({stored.path, impl_->bytes_of(stored, chunk)});
    return parts;
}

double LayoutSize::bytes() const {
    double total = 0.0;
    for (const Part& part : parts())
        total += part.bytes;
    return total;
}

} // namespace gemel::io
