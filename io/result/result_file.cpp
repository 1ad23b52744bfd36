#include "result_file_impl.hpp"

namespace gemel::io {

namespace {

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

void ResultFile::Impl::check_new_name(const std::string& name) const {
    require_unfinished();
    if (has_begun) throw std::invalid_argument("'" + name + "' comes after writing has begun");
    if (!is_good_path(name) || name.starts_with("provenance/"))
        throw std::invalid_argument("'" + name + "' is no name for results");
    if (axes.contains(name) || variables.contains(name))
        throw std::invalid_argument("'" + name + "' is in the result file already");
}

ResultFile::ResultFile(const std::filesystem::path& path, const ResultFileOptions& options)
    : impl_(std::make_unique<Impl>(path, options)) {}

ResultFile::~ResultFile() = default;

std::optional<std::string> ResultFile::take_state() {
    if (!impl_->going_on) return std::nullopt;
    return std::exchange(impl_->going_on->state, {});
}

void ResultFile::checkpoint(const StateWriter& write_state) {
    if (impl_->key.empty())
        throw std::invalid_argument("a result file without a key has no checkpoints");
    impl_->checkpoint(write_state);
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
    impl_->axes.emplace(axis.name, std::move(stored));
    impl_->axis_order.push_back(axis.name);
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
    stored.number = impl_->variable_order.size();
    stored.first_leaf = impl_->leaves.reserve(stored.n_leaves());
    impl_->variables.emplace(variable.path, std::move(stored));
    impl_->variable_order.push_back(variable.path);
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
    impl_->pending_attributes.push_back([=](h5::File& file) { file.set("/", name, value); });
}

void ResultFile::attribute(const std::string& name, std::int64_t value) {
    impl_->pending_attributes.push_back([=](h5::File& file) { file.set("/", name, value); });
}

void ResultFile::provenance(const std::string& name, const std::string& value) {
    impl_->pending_attributes.push_back([=](h5::File& file) {
        file.make_group("provenance");
        file.set("provenance", name, value);
    });
}

void ResultFile::provenance_text(const std::string& name, const std::string& text) {
    impl_->pending_attributes.push_back([=](h5::File& file) {
        const std::string path = "provenance/" + name;
        file.create_dataset(path, h5::Cell::text, {}, {})
            .write(h5::Slab{}, std::span<const std::string>(&text, 1));
        file.set(path, "units", std::string("1"));
    });
}

std::string ResultFile::finish() {
    impl_->begin();
    const std::string digest = impl_->guarded([&] {
        std::string sealed = impl_->complete();
        impl_->verify();
        return sealed;
    });
    impl_->output.publish([&] { impl_->remove_side_files(); });
    impl_->is_finished = true;
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
