#pragma once

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

/// What every HDF5 file begins with, and so what a killed run leaves.
inline constexpr std::string_view hdf5_signature = "\x89HDF\r\n\x1a\n";

/// The file being written: declared, laid out (result_file_layout.cpp), filled by many threads,
/// and finished (result_file_seal.cpp).
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

    void check_new_name(const std::string& name) const;

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

    void choose_chunk();

    h5::Extent chunk_of(const Shape& shape) const;

    std::uint64_t chunks_per_slice(const Shape& shape) const;

    std::uint64_t n_chunks() const;

    /// Axes and empty variables; numbers take their places. The same bytes for the same layout.
    void lay_out(const std::string& name);

    void create(StoredVariable& stored,
                const std::map<std::string, h5::Dataset>& scales,
                h5::File& file);

    static void describe(const Variable& variable, h5::File& file);

    /// Puts back everything but the numbers: an end that was interrupted may have left it in any
    /// state.
    void lay_out_again();

    void copy(const disk::SideFile& from, std::uint64_t start, std::uint64_t end);

    /// [start, end) of all numbers, ascending.
    std::vector<std::pair<std::uint64_t, std::uint64_t>> number_extents() const;

    std::string places_digest() const;

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
    std::string complete();

    void write_texts(h5::File& file) const;

    void require_written(const StoredVariable& stored) const;

    std::string seal(h5::File& file) const;

    std::string digest(const StoredVariable& stored) const;

    /// Reads back what a reader would see: everything if it is small or of several runs, else the
    /// first and last leaf of every arm.
    void verify() const;

    void verify_leaves(const StoredVariable& stored,
                       const h5::Dataset& dataset,
                       std::size_t slice,
                       std::uint64_t first_leaf,
                       std::uint64_t n_leaves) const;

    bool is_small() const;

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

} // namespace gemel::io
