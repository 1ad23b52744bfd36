#include "result_file_impl.hpp"
#include "shared_texts.hpp"

namespace gemel::io {

/// What HDF5 alone can write: texts, attributes, digests.
std::string ResultFile::Impl::complete() {
    h5::File file = h5::File::open(part);
    for (const auto& add : pending_attributes)
        add(file);
    write_texts(file);
    const std::string sealed = seal(file);
    file.close();
    return sealed;
}

void ResultFile::Impl::write_texts(h5::File& file) const {
    h5::Dataset dataset;
    std::optional<SharedTexts> shared;
    for (const TextSpool::Place& place : texts.places()) {
        const std::string& name = variable_order[place.block.variable];
        if (!shared || dataset.path() != name) {
            dataset = file.open_dataset(name);
            shared.emplace(dataset);
        }
        const Shape& shape = find(name).shape;
        const h5::Slab slab = shape.slab(
            place.block.slice, place.block.first, place.n_texts / shape.cells_per_subject());
        shared->write(slab, texts.read(place));
    }
}

void ResultFile::Impl::require_written(const StoredVariable& stored) const {
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

std::string ResultFile::Impl::seal(h5::File& file) const {
    std::vector<std::pair<std::string, std::string>> digests;
    for (const auto& [name, stored] : variables) {
        require_written(stored);
        digests.emplace_back(name, digest(stored));
        file.set(name, digest_attribute, digests.back().second);
    }
    for (const auto& [name, axis] : axes)
        digests.emplace_back(name,
                             digest_of(axis_heading(axis), std::array<Leaf, 1>{axis_leaf(axis)}));
    std::sort(digests.begin(), digests.end());
    const std::string result = results_digest(digests);
    file.set("/", "results_sha256", result);
    return result;
}

std::string ResultFile::Impl::digest(const StoredVariable& stored) const {
    return leaves.digest(variable_heading(stored.variable, stored.shape.extent),
                         stored.first_leaf,
                         stored.n_leaves());
}

/// Reads back what a reader would see: everything if it is small or of several runs, else the
/// first and last leaf of every arm.
void ResultFile::Impl::verify() const {
    constexpr std::uint64_t most_cells_read = 2048; // of 64 subjects: 1 MiB at a time
    const bool is_whole = is_small() || going_on;
    const h5::File written = h5::File::open_read_only(part);
    for (const auto& [name, stored] : variables) {
        const h5::Dataset dataset = written.open_dataset(name);
        if (dataset.extent() != stored.shape.extent)
            throw h5::Failure("verifying " + name + ": its shape is not what was written");
        const std::uint64_t n = stored.shape.leaves_per_arm();
        const std::uint64_t n_cells = stored.shape.cells_per_subject();
        if (n_cells == 0) continue;
        const std::uint64_t stretch = std::max<std::uint64_t>(1, most_cells_read / n_cells);
        for (std::size_t slice = 0; slice < stored.shape.n_slices(); ++slice) {
            for (std::uint64_t leaf = 0; is_whole && leaf < n; leaf += stretch)
                verify_leaves(stored, dataset, slice, leaf, std::min(stretch, n - leaf));
            if (is_whole) continue;
            verify_leaves(stored, dataset, slice, 0, 1);
            verify_leaves(stored, dataset, slice, n - 1, 1);
        }
    }
}

void ResultFile::Impl::verify_leaves(const StoredVariable& stored,
                                     const h5::Dataset& dataset,
                                     std::size_t slice,
                                     std::uint64_t first_leaf,
                                     std::uint64_t n_leaves) const {
    const Shape& shape = stored.shape;
    const std::uint64_t first = first_leaf * leaf_subjects;
    const std::uint64_t count = std::min(n_leaves * leaf_subjects, shape.n_subjects() - first);
    const std::vector<Leaf> read = read_leaves(dataset, shape, slice, first, count);
    const std::vector<Leaf> written = leaves.get(stored.leaf(slice, first_leaf), n_leaves);
    const auto other = std::ranges::mismatch(read, written);
    if (other.in1 == read.end()) return;
    throw h5::Failure(
        fmt::format("verifying {}: arm {} from subject {} reads otherwise than it was written",
                    stored.variable.path,
                    slice % shape.n_arms(),
                    first + static_cast<std::uint64_t>(other.in1 - read.begin()) * leaf_subjects));
}

bool ResultFile::Impl::is_small() const {
    std::uint64_t bytes = 0;
    for (const auto& [name, stored] : variables)
        bytes += h5::Slab{{}, stored.shape.extent}.size() * sizeof(double);
    return bytes < (64u << 20);
}

} // namespace gemel::io
