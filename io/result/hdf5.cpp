#include "hdf5.hpp"

#include <hdf5.h>
#include <hdf5_hl.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace gemel::io::h5 {

static_assert(std::is_same_v<hid_t, std::int64_t>);

namespace {

/// The innermost reason on HDF5's error stack: the one with the system's words.
std::string reason() {
    std::string text;
    const auto take_first = [](unsigned depth, const H5E_error2_t* error, void* data) -> herr_t {
        if (depth == 0 && error->desc) *static_cast<std::string*>(data) = error->desc;
        return 0;
    };
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_first, &text);
    H5Eclear2(H5E_DEFAULT);
    return text.empty() ? "HDF5 gave no reason" : text;
}

template <typename Result>
Result check(Result result, const std::string& doing) {
    if (result < 0) throw Failure(doing + ": " + reason());
    return result;
}

Handle property_list(hid_t kind) {
    return {check(H5Pcreate(kind), "making properties"), H5Pclose};
}

constexpr unsigned creation_order = H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED;

/// Equal runs give equal bytes only without times; netCDF-4 needs the order of creation.
Handle group_properties() {
    Handle list = property_list(H5P_GROUP_CREATE);
    check(H5Pset_link_creation_order(list.id(), creation_order), "tracking links");
    check(H5Pset_attr_creation_order(list.id(), creation_order), "tracking attributes");
    check(H5Pset_obj_track_times(list.id(), false), "leaving times out");
    return list;
}

/// Variable-length for datasets: fixed-length ones break netCDF-C and R.
Handle text_type() {
    Handle type{check(H5Tcopy(H5T_C_S1), "making a text type"), H5Tclose};
    check(H5Tset_size(type.id(), H5T_VARIABLE), "making a text type");
    check(H5Tset_cset(type.id(), H5T_CSET_UTF8), "making a text type");
    return type;
}

/// Fixed-length for attributes: R reads no others.
Handle fixed_text_type(std::size_t length) {
    Handle type{check(H5Tcopy(H5T_C_S1), "making a text type"), H5Tclose};
    check(H5Tset_size(type.id(), std::max<std::size_t>(length, 1)), "making a text type");
    check(H5Tset_strpad(type.id(), H5T_STR_NULLPAD), "making a text type");
    check(H5Tset_cset(type.id(), H5T_CSET_UTF8), "making a text type");
    return type;
}

Handle copied_type(hid_t type) {
    return {check(H5Tcopy(type), "making a type"), H5Tclose};
}

Handle stored_type(Cell cell) {
    switch (cell) {
    case Cell::real:
        return copied_type(H5T_IEEE_F64LE);
    case Cell::integer:
        return copied_type(H5T_STD_I64LE);
    case Cell::byte:
        return copied_type(H5T_STD_U8LE);
    case Cell::text:
        break;
    }
    return text_type();
}

Handle data_space(const Extent& extent) {
    const std::vector<hsize_t> dims(extent.begin(), extent.end());
    const hid_t id = dims.empty()
                         ? H5Screate(H5S_SCALAR)
                         : H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr);
    return {check(id, "making a data space"), H5Sclose};
}

Handle dataset_properties(Cell cell, const Extent& chunk) {
    Handle list = property_list(H5P_DATASET_CREATE);
    check(H5Pset_attr_creation_order(list.id(), creation_order), "tracking attributes");
    check(H5Pset_obj_track_times(list.id(), false), "leaving times out");
    if (!chunk.empty()) {
        const std::vector<hsize_t> dims(chunk.begin(), chunk.end());
        check(H5Pset_chunk(list.id(), static_cast<int>(dims.size()), dims.data()),
              "setting the chunk");
    }
    if (cell == Cell::real) {
        const double missing = std::numeric_limits<double>::quiet_NaN();
        check(H5Pset_fill_value(list.id(), H5T_NATIVE_DOUBLE, &missing), "setting the fill value");
    }
    if (cell == Cell::text) return list;
    // Every cell gets written before a file is finished, so filling first would be writing twice.
    check(H5Pset_fill_time(list.id(), H5D_FILL_TIME_NEVER), "setting the fill time");
    check(H5Pset_alloc_time(list.id(), H5D_ALLOC_TIME_EARLY), "taking the space at once");
    return list;
}

/// Texts are converted in a buffer, which HDF5 clears for each call: of 1 MiB unless told.
Handle text_transfer() {
    constexpr std::size_t buffer_bytes = 64 * 1024;
    Handle list{check(H5Pcreate(H5P_DATASET_XFER), "making a list"), H5Pclose};
    check(H5Pset_buffer(list.id(), buffer_bytes, nullptr, nullptr), "setting the buffer");
    return list;
}

/// Blocks are whole chunks, written and read once, and nothing is compressed: a cache of chunks
/// would only grow with the population.
Handle dataset_access() {
    Handle list = property_list(H5P_DATASET_ACCESS);
    check(H5Pset_chunk_cache(list.id(), 0, 0, H5D_CHUNK_CACHE_W0_DEFAULT), "setting the cache");
    return list;
}

/// Enough for the ends of all trees of chunks, and no more for ten times the subjects.
void limit_metadata_cache(const Handle& access) {
    H5AC_cache_config_t cache{};
    cache.version = H5AC__CURR_CACHE_CONFIG_VERSION;
    check(H5Pget_mdc_config(access.id(), &cache), "reading the size of the cache");
    constexpr std::size_t bytes = std::size_t{512} << 10;
    cache.set_initial_size = true;
    cache.initial_size = bytes;
    cache.min_size = bytes / 2;
    cache.max_size = bytes;
    check(H5Pset_mdc_config(access.id(), &cache), "setting the size of the cache");
}

Handle access_properties() {
    Handle access = property_list(H5P_FILE_ACCESS);
    check(H5Pset_libver_bounds(access.id(), H5F_LIBVER_V18, H5F_LIBVER_V110), "setting versions");
    check(H5Pset_file_locking(access.id(), false, true), "leaving locks to the caller");
    limit_metadata_cache(access);
    return access;
}

/// What a chunk takes in a tree whose nodes are half full, with its share of the levels above.
constexpr std::uint64_t tree_bytes_per_chunk = 160;

/// Chunks of a dataset by their number.
class ChunkList {
public:
    ChunkList(const Dataset& dataset, const Extent& extent, const Extent& chunk)
        : dataset_(dataset),
          space_{check(H5Dget_space(dataset.id()), "reading the shape of " + dataset.path()),
                 H5Sclose},
          chunk_(chunk) {
        for (std::size_t i = 0; i < extent.size(); ++i)
            n_along_.push_back((extent[i] + chunk[i] - 1) / chunk[i]);
    }

    std::uint64_t size() const {
        std::uint64_t n = 1;
        for (const std::uint64_t along : n_along_)
            n *= along;
        return n;
    }

    /// HDF5 walks its tree from the start to tell: the cost grows with the number.
    std::uint64_t address(std::uint64_t number, std::uint64_t bytes) const {
        std::vector<hsize_t> offset(chunk_.size());
        unsigned filters = 0;
        haddr_t address = HADDR_UNDEF;
        hsize_t size = 0;
        check(H5Dget_chunk_info(
                  dataset_.id(), space_.id(), number, offset.data(), &filters, &address, &size),
              "looking for the chunks of " + dataset_.path());
        if (address == HADDR_UNDEF || size != bytes || !is_at(number, offset))
            throw Failure(dataset_.path() + " has other chunks than it was given");
        return address;
    }

private:
    bool is_at(std::uint64_t number, const std::vector<hsize_t>& offset) const {
        for (std::size_t i = chunk_.size(); i-- > 0; number /= n_along_[i])
            if (offset[i] != number % n_along_[i] * chunk_[i]) return false;
        return true;
    }

    const Dataset& dataset_;
    Handle space_;
    Extent chunk_, n_along_;
};

/// Chunks are handed out in their order, so they follow each other unless something came between;
/// then the ends of a run of chunks are further apart than its length, and it is looked at in
/// halves. At least every 64th of all is asked for, and every one of the first 256.
void find_stretches(const ChunkList& chunks,
                    std::uint64_t first,
                    std::uint64_t first_address,
                    std::uint64_t last,
                    std::uint64_t last_address,
                    Placement& placement) {
    if (last == first) return;
    const std::uint64_t bytes = placement.chunk_bytes;
    const bool is_one_run = last_address == first_address + (last - first) * bytes;
    if (is_one_run && (last - first == 1 || (last > 256 && last - first <= chunks.size() / 64)))
        return;
    if (last - first == 1) {
        placement.stretches.push_back({last, last_address});
        return;
    }
    const std::uint64_t middle = first + (last - first) / 2;
    const std::uint64_t address = chunks.address(middle, bytes);
    find_stretches(chunks, first, first_address, middle, address, placement);
    find_stretches(chunks, middle, address, last, last_address, placement);
}

/// The file's space with the slab selected.
Handle selection(const Dataset& dataset, const Slab& slab) {
    Handle space{check(H5Dget_space(dataset.id()), "reading the shape of " + dataset.path()),
                 H5Sclose};
    if (slab.count.empty()) return space;
    const std::vector<hsize_t> start(slab.start.begin(), slab.start.end());
    const std::vector<hsize_t> count(slab.count.begin(), slab.count.end());
    check(H5Sselect_hyperslab(
              space.id(), H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr),
          "selecting in " + dataset.path());
    return space;
}

/// After a disk has refused to write, HDF5's own cleanup at exit touches what it has freed. Nothing
/// needs it: every handle here is closed by its owner. Before HDF5 is first used, or without
/// effect.
void leave_without_cleanup() {
    static const herr_t done = H5dont_atexit();
    static_cast<void>(done);
}

Handle open_object(hid_t file, const std::string& path) {
    return {check(H5Oopen(file, path.c_str(), H5P_DEFAULT), "opening " + path), H5Oclose};
}

std::string name_of(hid_t id) {
    const ssize_t length = H5Iget_name(id, nullptr, 0);
    if (length <= 0) return {};
    std::string name(static_cast<std::size_t>(length), '\0');
    H5Iget_name(id, name.data(), name.size() + 1);
    return name.starts_with('/') ? name.substr(1) : name;
}

std::optional<std::string> text_attribute(hid_t attribute, hid_t type) {
    if (H5Tis_variable_str(type) > 0) {
        const Handle memory = text_type();
        char* text = nullptr;
        if (H5Aread(attribute, memory.id(), &text) < 0 || !text) return std::nullopt;
        std::string result(text);
        H5free_memory(text);
        return result;
    }
    std::string text(H5Tget_size(type), '\0');
    if (H5Aread(attribute, type, text.data()) < 0) return std::nullopt;
    text.resize(std::min(text.find('\0'), text.size()));
    return text;
}

} // namespace

SilentErrors::SilentErrors() {
    leave_without_cleanup();
    H5E_auto2_t print = nullptr;
    H5Eget_auto2(H5E_DEFAULT, &print, &print_data_);
    print_ = reinterpret_cast<void*>(print);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

SilentErrors::~SilentErrors() {
    H5Eset_auto2(H5E_DEFAULT, reinterpret_cast<H5E_auto2_t>(print_), print_data_);
}

Handle::Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}

Handle& Handle::operator=(Handle&& other) noexcept {
    if (this != &other) {
        release();
        id_ = std::exchange(other.id_, -1);
        close_ = other.close_;
    }
    return *this;
}

bool Handle::release() {
    const std::int64_t id = std::exchange(id_, -1);
    return id < 0 || close_(id) >= 0;
}

std::uint64_t Slab::size() const {
    std::uint64_t size = 1;
    for (const std::uint64_t n : count)
        size *= n;
    return size;
}

Extent Dataset::extent() const {
    const Handle space{check(H5Dget_space(id()), "reading the shape of " + path_), H5Sclose};
    const int rank = check(H5Sget_simple_extent_ndims(space.id()), "reading a shape");
    std::vector<hsize_t> dims(static_cast<std::size_t>(rank));
    H5Sget_simple_extent_dims(space.id(), dims.data(), nullptr);
    return {dims.begin(), dims.end()};
}

Extent Dataset::chunk() const {
    const Handle list{check(H5Dget_create_plist(id()), "reading the layout of " + path_), H5Pclose};
    if (H5Pget_layout(list.id()) != H5D_CHUNKED) return {};
    std::vector<hsize_t> dims(extent().size());
    check(H5Pget_chunk(list.id(), static_cast<int>(dims.size()), dims.data()), "reading a chunk");
    return {dims.begin(), dims.end()};
}

Cell Dataset::cell() const {
    const Handle type{check(H5Dget_type(id()), "reading the type of " + path_), H5Tclose};
    switch (H5Tget_class(type.id())) {
    case H5T_FLOAT:
        return Cell::real;
    case H5T_INTEGER:
        return H5Tget_size(type.id()) == 1 ? Cell::byte : Cell::integer;
    case H5T_STRING:
        return Cell::text;
    default:
        throw Failure(path_ + " is of a type this program does not know");
    }
}

bool Dataset::is_scale() const {
    return H5DSis_scale(id()) > 0;
}

std::vector<std::string> Dataset::scale_names() const {
    std::vector<std::string> names(extent().size());
    const auto take_name = [](hid_t, unsigned, hid_t scale, void* data) -> herr_t {
        *static_cast<std::string*>(data) = name_of(scale);
        return 1;
    };
    for (std::size_t axis = 0; axis < names.size(); ++axis)
        H5DSiterate_scales(id(), static_cast<unsigned>(axis), nullptr, take_name, &names[axis]);
    return names;
}

void Dataset::write_cells(const Slab& slab,
                          std::int64_t type,
                          const void* values,
                          std::int64_t transfer) {
    const Handle memory = data_space(slab.count);
    const Handle space = selection(*this, slab);
    check(H5Dwrite(id(), type, memory.id(), space.id(), transfer, values), "writing " + path_);
}

void Dataset::read_cells(const Slab& slab,
                         std::int64_t type,
                         void* values,
                         std::int64_t transfer) const {
    const Handle memory = data_space(slab.count);
    const Handle space = selection(*this, slab);
    check(H5Dread(id(), type, memory.id(), space.id(), transfer, values), "reading " + path_);
}

std::vector<unsigned char> Dataset::read_chunk(const Extent& start) const {
    const std::vector<hsize_t> offset(start.begin(), start.end());
    hsize_t size = 0;
    check(H5Dget_chunk_storage_size(id(), offset.data(), &size), "reading " + path_);
    std::vector<unsigned char> bytes(size);
    std::uint32_t filters = 0;
    check(H5Dread_chunk(id(), H5P_DEFAULT, offset.data(), &filters, bytes.data()),
          "reading " + path_);
    return bytes;
}

void Dataset::write_chunk(const Extent& start, std::span<const unsigned char> bytes) {
    const std::vector<hsize_t> offset(start.begin(), start.end());
    check(H5Dwrite_chunk(id(), H5P_DEFAULT, 0, offset.data(), bytes.size(), bytes.data()),
          "writing " + path_);
}

void Dataset::write(const Slab& slab, std::span<const double> values) {
    write_cells(slab, H5T_NATIVE_DOUBLE, values.data());
}

void Dataset::write(const Slab& slab, std::span<const std::int64_t> values) {
    write_cells(slab, H5T_NATIVE_INT64, values.data());
}

void Dataset::write(const Slab& slab, std::span<const std::uint8_t> values) {
    write_cells(slab, H5T_NATIVE_UINT8, values.data());
}

void Dataset::write(const Slab& slab, std::span<const std::string> values) {
    std::vector<const char*> pointers;
    pointers.reserve(values.size());
    for (const std::string& value : values)
        pointers.push_back(value.c_str());
    write_cells(slab, text_type().id(), pointers.data(), text_transfer().id());
}

std::vector<double> Dataset::read_reals(const Slab& slab) const {
    std::vector<double> values(slab.size());
    read_cells(slab, H5T_NATIVE_DOUBLE, values.data());
    return values;
}

std::vector<std::int64_t> Dataset::read_integers(const Slab& slab) const {
    std::vector<std::int64_t> values(slab.size());
    read_cells(slab, H5T_NATIVE_INT64, values.data());
    return values;
}

std::vector<std::uint8_t> Dataset::read_bytes(const Slab& slab) const {
    std::vector<std::uint8_t> values(slab.size());
    read_cells(slab, H5T_NATIVE_UINT8, values.data());
    return values;
}

std::vector<std::string> Dataset::read_texts(const Slab& slab) const {
    std::vector<char*> pointers(slab.size(), nullptr);
    const Handle type = text_type();
    read_cells(slab, type.id(), pointers.data(), text_transfer().id());
    std::vector<std::string> values;
    values.reserve(pointers.size());
    for (char* pointer : pointers) {
        values.emplace_back(pointer ? pointer : "");
        if (pointer) H5free_memory(pointer);
    }
    return values;
}

std::uint64_t Placement::address(std::uint64_t chunk) const {
    const auto after = std::upper_bound(
        stretches.begin(), stretches.end(), chunk, [](std::uint64_t number, const Stretch& s) {
            return number < s.first_chunk;
        });
    const Stretch& stretch = *(after - 1);
    return stretch.address + (chunk - stretch.first_chunk) * chunk_bytes;
}

Placement Dataset::placement() const {
    const Extent all = extent(), chunked = chunk();
    const std::uint64_t cell_bytes = cell() == Cell::byte ? 1 : 8;
    Placement placement;
    if (std::count(all.begin(), all.end(), 0u) > 0) return placement;
    if (chunked.empty()) {
        const haddr_t address = H5Dget_offset(id());
        if (address == HADDR_UNDEF) throw Failure(path_ + " has no place in the file");
        return {Slab{{}, all}.size() * cell_bytes, 1, {{0, address}}};
    }
    const ChunkList chunks(*this, all, chunked);
    placement.chunk_bytes = Slab{{}, chunked}.size() * cell_bytes;
    placement.n_chunks = chunks.size();
    const std::uint64_t last = placement.n_chunks - 1;
    const std::uint64_t first_address = chunks.address(0, placement.chunk_bytes);
    placement.stretches.push_back({0, first_address});
    find_stretches(
        chunks, 0, first_address, last, chunks.address(last, placement.chunk_bytes), placement);
    return placement;
}

File File::create(const std::filesystem::path& path, std::uint64_t n_chunks) {
    leave_without_cleanup();
    const Handle access = access_properties();
    constexpr std::uint64_t least = 2048, most = std::uint64_t{1} << 31;
    check(H5Pset_meta_block_size(access.id(),
                                 std::clamp(n_chunks * tree_bytes_per_chunk, least, most)),
          "giving the trees of chunks room");
    const Handle creation = property_list(H5P_FILE_CREATE);
    check(H5Pset_link_creation_order(creation.id(), creation_order), "tracking links");
    check(H5Pset_attr_creation_order(creation.id(), creation_order), "tracking attributes");
    check(H5Pset_obj_track_times(creation.id(), false), "leaving times out");
    const hid_t id = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation.id(), access.id());
    return File({check(id, "creating the file"), H5Fclose});
}

File File::open(const std::filesystem::path& path) {
    leave_without_cleanup();
    const Handle access = access_properties();
    const hid_t id = H5Fopen(path.c_str(), H5F_ACC_RDWR, access.id());
    return File({check(id, "opening the file"), H5Fclose});
}

File File::open_read_only(const std::filesystem::path& path) {
    leave_without_cleanup();
    const Handle access = property_list(H5P_FILE_ACCESS);
    check(H5Pset_file_locking(access.id(), false, true), "leaving locks to the caller");
    limit_metadata_cache(access);
    const hid_t id = H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.id());
    return File({check(id, "opening the file"), H5Fclose});
}

Dataset File::create_dataset(const std::string& path,
                             Cell cell,
                             const Extent& extent,
                             const Extent& chunk) {
    if (const auto slash = path.rfind('/'); slash != std::string::npos)
        make_group(path.substr(0, slash));
    const Handle type = stored_type(cell);
    const Handle space = data_space(extent);
    const Handle properties = dataset_properties(cell, chunk);
    const hid_t id = H5Dcreate2(handle_.id(),
                                path.c_str(),
                                type.id(),
                                space.id(),
                                H5P_DEFAULT,
                                properties.id(),
                                dataset_access().id());
    return {Handle{check(id, "creating " + path), H5Dclose}, path};
}

Dataset File::open_dataset(const std::string& path) const {
    const hid_t id = H5Dopen2(handle_.id(), path.c_str(), dataset_access().id());
    return {Handle{check(id, "opening " + path), H5Dclose}, path};
}

bool File::has(const std::string& path) const {
    for (std::size_t end = 0; end != std::string::npos;) {
        end = path.find('/', end + 1);
        if (H5Lexists(handle_.id(), path.substr(0, end).c_str(), H5P_DEFAULT) <= 0) return false;
    }
    return true;
}

void File::make_group(const std::string& path) {
    const Handle properties = group_properties();
    for (std::size_t end = 0; end != std::string::npos;) {
        end = path.find('/', end + 1);
        const std::string part = path.substr(0, end);
        if (H5Lexists(handle_.id(), part.c_str(), H5P_DEFAULT) > 0) continue;
        const hid_t id =
            H5Gcreate2(handle_.id(), part.c_str(), H5P_DEFAULT, properties.id(), H5P_DEFAULT);
        Handle(check(id, "creating the group " + part), H5Gclose);
    }
}

void File::make_scale(const Dataset& dataset, const std::string& name) {
    check(H5DSset_scale(dataset.id(), name.c_str()), "making the axis " + name);
}

void File::attach_scale(const Dataset& dataset, const Dataset& scale, unsigned axis) {
    check(H5DSattach_scale(dataset.id(), scale.id(), axis),
          "attaching " + scale.path() + " to " + dataset.path());
}

void File::set_cells(const std::string& object,
                     const std::string& name,
                     std::int64_t type,
                     std::span<const std::uint64_t> extent,
                     const void* cells) {
    const std::string doing = "writing the attribute " + name + " of " + object;
    const Handle owner = open_object(handle_.id(), object);
    if (check(H5Aexists(owner.id(), name.c_str()), doing) > 0)
        check(H5Adelete(owner.id(), name.c_str()), doing);
    const Handle space = data_space({extent.begin(), extent.end()});
    Handle attribute{
        check(H5Acreate2(owner.id(), name.c_str(), type, space.id(), H5P_DEFAULT, H5P_DEFAULT),
              doing),
        H5Aclose};
    check(H5Awrite(attribute.id(), type, cells), doing);
}

void File::set(const std::string& object, const std::string& name, const std::string& text) {
    set_cells(object, name, fixed_text_type(text.size()).id(), {}, text.c_str());
}

void File::set(const std::string& object, const std::string& name, std::int64_t number) {
    set_cells(object, name, H5T_STD_I64LE, {}, &number);
}

void File::set(const std::string& object,
               const std::string& name,
               std::span<const double> numbers) {
    const std::uint64_t size = numbers.size();
    set_cells(object, name, H5T_IEEE_F64LE, {&size, 1}, numbers.data());
}

void File::set(const std::string& object,
               const std::string& name,
               std::span<const std::uint8_t> numbers) {
    const std::uint64_t size = numbers.size();
    set_cells(object, name, H5T_STD_U8LE, {&size, 1}, numbers.data());
}

std::optional<std::string> File::attribute(const std::string& object,
                                           const std::string& name) const {
    const Handle owner = open_object(handle_.id(), object);
    if (H5Aexists(owner.id(), name.c_str()) <= 0) return std::nullopt;
    const Handle attribute{H5Aopen(owner.id(), name.c_str(), H5P_DEFAULT), H5Aclose};
    const Handle space{H5Aget_space(attribute.id()), H5Sclose};
    const Handle type{H5Aget_type(attribute.id()), H5Tclose};
    if (H5Sget_simple_extent_npoints(space.id()) != 1) return std::nullopt;
    if (H5Tget_class(type.id()) == H5T_STRING) return text_attribute(attribute.id(), type.id());
    if (H5Tget_class(type.id()) != H5T_INTEGER) return std::nullopt;
    std::int64_t number = 0;
    if (H5Aread(attribute.id(), H5T_NATIVE_INT64, &number) < 0) return std::nullopt;
    return std::to_string(number);
}

std::vector<std::string> File::attribute_names(const std::string& object) const {
    const Handle owner = open_object(handle_.id(), object);
    std::vector<std::string> names;
    const auto take_name = [](hid_t, const char* name, const H5A_info_t*, void* data) -> herr_t {
        static_cast<std::vector<std::string>*>(data)->emplace_back(name);
        return 0;
    };
    check(H5Aiterate2(owner.id(), H5_INDEX_CRT_ORDER, H5_ITER_INC, nullptr, take_name, &names),
          "reading the attributes of " + object);
    return names;
}

std::vector<std::string> File::dataset_paths() const {
    std::vector<std::string> paths;
    const auto take_dataset =
        [](hid_t, const char* name, const H5O_info_t* info, void* data) -> herr_t {
        if (info->type == H5O_TYPE_DATASET)
            static_cast<std::vector<std::string>*>(data)->emplace_back(name);
        return 0;
    };
    check(H5Ovisit(handle_.id(), H5_INDEX_CRT_ORDER, H5_ITER_INC, take_dataset, &paths),
          "listing what is in the file");
    return paths;
}

void File::flush() {
    check(H5Fflush(handle_.id(), H5F_SCOPE_LOCAL), "flushing");
}

void File::close() {
    if (!handle_.release()) throw Failure("closing the file: " + reason());
}

} // namespace gemel::io::h5
