#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

/// The door to HDF5: its source alone includes it. Files made here are also netCDF-4 files.
namespace gemel::io::h5 {

/// What HDF5 refused, and why: "writing Cp: No space left on device".
struct Failure : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// While it lives, HDF5 does not print its errors in this thread.
class SilentErrors {
public:
    SilentErrors();
    ~SilentErrors();
    SilentErrors(const SilentErrors&) = delete;
    SilentErrors& operator=(const SilentErrors&) = delete;

private:
    void* print_ = nullptr;
    void* print_data_ = nullptr;
};

/// An open thing of HDF5.
class Handle {
public:
    using Close = int (*)(std::int64_t);

    Handle() = default;
    Handle(std::int64_t id, Close close) : id_(id), close_(close) {}
    Handle(Handle&& other) noexcept;
    Handle& operator=(Handle&& other) noexcept;
    ~Handle() { release(); }

    std::int64_t id() const { return id_; }
    bool release(); ///< @returns whether closing succeeded, as it does for nothing open

private:
    std::int64_t id_ = -1;
    Close close_ = nullptr;
};

enum class Cell { real, integer, byte, text };

using Extent = std::vector<std::uint64_t>;

/// Where the cells of a dataset lie in the file, for writing past HDF5: its chunks in the order of
/// their coordinates, which lie one after the other in few stretches. Without chunks all is one.
struct Placement {
    struct Stretch {
        std::uint64_t first_chunk = 0;
        std::uint64_t address = 0;
    };
    std::uint64_t chunk_bytes = 0;
    std::uint64_t n_chunks = 0;
    std::vector<Stretch> stretches; ///< by first chunk; empty: there are no cells

    std::uint64_t address(std::uint64_t chunk) const;
};

/// A part of a dataset: a start and a count along each axis.
struct Slab {
    Extent start;
    Extent count;
    std::uint64_t size() const;
};

class Dataset {
public:
    Dataset() = default;
    Dataset(Handle handle, std::string path) : handle_(std::move(handle)), path_(std::move(path)) {}

    std::int64_t id() const { return handle_.id(); }
    const std::string& path() const { return path_; }

    Extent extent() const;
    Extent chunk() const;        ///< empty if it has none
    Placement placement() const; ///< of cells that take their space at once
    Cell cell() const;
    bool is_scale() const;
    /// The names of the scales attached, one per axis; "" where there is none.
    std::vector<std::string> scale_names() const;

    void write(const Slab& slab, std::span<const double> values);
    void write(const Slab& slab, std::span<const std::int64_t> values);
    void write(const Slab& slab, std::span<const std::uint8_t> values);
    void write(const Slab& slab, std::span<const std::string> values);

    /// A whole chunk as it lies in the file; `start` is its first cell.
    std::vector<unsigned char> read_chunk(const Extent& start) const;
    void write_chunk(const Extent& start, std::span<const unsigned char> bytes);

    std::vector<double> read_reals(const Slab& slab) const; ///< of any number
    std::vector<std::int64_t> read_integers(const Slab& slab) const;
    std::vector<std::uint8_t> read_bytes(const Slab& slab) const;
    std::vector<std::string> read_texts(const Slab& slab) const;

    bool close() { return handle_.release(); }

private:
    /// @param transfer  properties; 0: the usual
    void
    write_cells(const Slab& slab, std::int64_t type, const void* values, std::int64_t transfer = 0);
    void
    read_cells(const Slab& slab, std::int64_t type, void* values, std::int64_t transfer = 0) const;

    Handle handle_;
    std::string path_;
};

class File {
public:
    /// Creation order tracked, times off, readable by HDF5 1.8 and later. Neither locks: OutputFile
    /// holds the lock, and many file systems have none for readers.
    ///
    /// Numbers take their space as soon as their dataset is made, texts when they are written.
    /// @param n_chunks  of all numbers: room for their trees, so that chunks follow each other
    static File create(const std::filesystem::path& path, std::uint64_t n_chunks = 0);
    static File open(const std::filesystem::path& path); ///< to write on
    static File open_read_only(const std::filesystem::path& path);

    /// Groups on the way are made. An empty chunk means contiguous; an extent of no axes a scalar.
    Dataset
    create_dataset(const std::string& path, Cell cell, const Extent& extent, const Extent& chunk);
    Dataset open_dataset(const std::string& path) const;
    void make_group(const std::string& path);
    bool has(const std::string& path) const;
    void make_scale(const Dataset& dataset, const std::string& name);
    void attach_scale(const Dataset& dataset, const Dataset& scale, unsigned axis);

    /// Attributes of a group or dataset; "/" is the root. An attribute there is replaced.
    void set(const std::string& object, const std::string& name, const std::string& text);
    void set(const std::string& object, const std::string& name, std::int64_t number);
    void set(const std::string& object, const std::string& name, std::span<const double> numbers);
    void
    set(const std::string& object, const std::string& name, std::span<const std::uint8_t> numbers);
    /// A text, or a whole number as text; nothing if it is absent or something else.
    std::optional<std::string> attribute(const std::string& object, const std::string& name) const;
    std::vector<std::string> attribute_names(const std::string& object) const;

    std::vector<std::string> dataset_paths() const; ///< of the whole file, in order of creation

    void flush();
    void close(); ///< @throws Failure if anything could not be written

private:
    explicit File(Handle handle) : handle_(std::move(handle)) {}
    void set_cells(const std::string& object,
                   const std::string& name,
                   std::int64_t type,
                   std::span<const std::uint64_t> extent,
                   const void* cells);

    Handle handle_;
};

} // namespace gemel::io::h5
