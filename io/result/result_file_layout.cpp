#include "result_file_impl.hpp"

namespace gemel::io {

namespace {

constexpr const char* layout_note =
    "Axes are in C order: (arm, subject, time). R and MATLAB show them reversed.";

} // namespace

void ResultFile::Impl::choose_chunk() {
    n_chunk_subjects = 1024;
    for (const auto& [name, stored] : variables)
        if (stored.shape.has_subject)
            n_chunk_subjects =
                std::min(n_chunk_subjects, chunk_subjects(stored.shape.cells_per_subject()));
}

h5::Extent ResultFile::Impl::chunk_of(const Shape& shape) const {
    const bool is_empty = std::count(shape.extent.begin(), shape.extent.end(), 0u) > 0;
    if (!shape.has_subject || is_empty) return {};
    return shape.slab(0, 0, std::min(n_chunk_subjects, shape.n_subjects())).count;
}

std::uint64_t ResultFile::Impl::chunks_per_slice(const Shape& shape) const {
    const std::uint64_t chunk = std::min(n_chunk_subjects, shape.n_subjects());
    return (shape.n_subjects() + chunk - 1) / chunk;
}

std::uint64_t ResultFile::Impl::n_chunks() const {
    std::uint64_t n = 0;
    for (const auto& [name, stored] : variables)
        if (!chunk_of(stored.shape).empty())
            n += stored.shape.n_slices() * chunks_per_slice(stored.shape);
    return n;
}

/// Axes and empty variables; numbers take their places. The same bytes for the same layout.
void ResultFile::Impl::lay_out(const std::string& name) {
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

void ResultFile::Impl::create(StoredVariable& stored,
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

void ResultFile::Impl::describe(const Variable& variable, h5::File& file) {
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
void ResultFile::Impl::lay_out_again() {
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

void ResultFile::Impl::copy(const disk::SideFile& from, std::uint64_t start, std::uint64_t end) {
    std::vector<char> bytes(std::min<std::uint64_t>(1 << 20, end - start));
    for (; start < end; start += bytes.size()) {
        bytes.resize(std::min<std::uint64_t>(bytes.size(), end - start));
        if (from.read_at(start, bytes.data(), bytes.size()) != bytes.size())
            throw std::runtime_error(part + ": laying it out again: it is shorter than it was");
        output.write_at(start, bytes.data(), bytes.size());
    }
}

/// [start, end) of all numbers, ascending.
std::vector<std::pair<std::uint64_t, std::uint64_t>> ResultFile::Impl::number_extents() const {
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

std::string ResultFile::Impl::places_digest() const {
    std::string list;
    for (const auto& [name, stored] : variables) {
        list += fmt::format("{} {}", name, stored.placement.chunk_bytes);
        for (const h5::Placement::Stretch& stretch : stored.placement.stretches)
            list += fmt::format(" {}:{}", stretch.first_chunk, stretch.address);
        list += '\n';
    }
    return sha256_hex(list);
}

} // namespace gemel::io
