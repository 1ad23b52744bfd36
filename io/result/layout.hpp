#pragma once

#include "digest.hpp"
#include "hdf5.hpp"

#include <gemel/io/result_file.hpp>

/// The layout gemel-trajectory/1 as ResultFile writes it and ResultReader reads it.
namespace gemel::io {

inline constexpr const char* digest_attribute = "digest_sha256";

/// "subject", and axes over a part of the subjects ("subject_Cp").
bool is_subject_axis(const std::string& name);

/// How the cells of a variable are addressed: [replicate ×] [arm ×] [subject ×] rest. A slice is an
/// arm of a replicate, replicate by replicate.
struct Shape {
    h5::Extent extent;
    bool has_replicate = false;
    bool has_arm = false;
    bool has_subject = false;

    std::size_t n_replicates() const { return has_replicate ? extent[0] : 1; }
    std::size_t n_arms() const { return has_arm ? extent[has_replicate] : 1; }
    std::size_t n_slices() const { return n_replicates() * n_arms(); }
    /// Of an arm (0 without any) in a replicate, which counts only if the variable has them.
    std::size_t slice(std::size_t replicate, std::size_t arm) const {
        return (has_replicate ? replicate * n_arms() : 0) + arm;
    }
    std::size_t n_outer() const { return std::size_t(has_replicate) + has_arm; }
    std::uint64_t n_subjects() const { return has_subject ? extent[n_outer()] : 1; }
    std::uint64_t cells_per_subject() const; ///< or, without subject axis, per arm
    std::uint64_t leaves_per_arm() const;

    /// Subjects [first, first + count) of one slice; without subject axis the whole slice.
    h5::Slab slab(std::size_t slice, std::uint64_t first, std::uint64_t count) const;
};

/// @throws std::invalid_argument if replicate, arm and a subject axis are not the first, in order
Shape shape_of(const Variable& variable, h5::Extent extent);

h5::Cell cell_of(ValueType type);

/// What a digest covers beside the values: "Cp\nreal\n2 1000 337\nmg/L\n".
std::string variable_heading(const Variable& variable, const h5::Extent& extent);
/// The same for one arm of it, so that more arms do not change it.
std::string arm_heading(const Variable& variable, const Shape& shape);
std::string axis_heading(const Axis& axis);
Leaf axis_leaf(const Axis& axis);
/// The axis as a dataset that is a scale.
h5::Dataset write_axis(const Axis& axis, h5::File& file);
/// The list results_sha256 is taken of, from (path, digest) in order of path.
std::string results_digest(const std::vector<std::pair<std::string, std::string>>& sorted);

/// Leaves of subjects [first, first + count) of one slice as they stand in the file.
std::vector<Leaf> read_leaves(const h5::Dataset& dataset,
                              const Shape& shape,
                              std::size_t slice,
                              std::uint64_t first,
                              std::uint64_t count);

/// Cuts values into leaves of 64 subjects.
template <typename T>
std::vector<Leaf> leaves_of(std::span<const T> values, const Shape& shape, std::uint64_t count) {
    std::vector<Leaf> leaves;
    const std::uint64_t cells = shape.cells_per_subject();
    for (std::uint64_t first = 0; first < count; first += leaf_subjects) {
        const std::uint64_t n = std::min(leaf_subjects, count - first);
        leaves.push_back(leaf_digest(values.subspan(first * cells, n * cells)));
    }
    return leaves;
}

} // namespace gemel::io
