#include "native/code_image.hpp"

#include <elf.h>
#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace gemel::sim {
namespace {

[[noreturn]] void refuse(const std::string& why) {
    throw std::runtime_error("native code: " + why);
}

/// Reads an object and writes its image.
class ObjectLinker {
public:
    explicit ObjectLinker(std::span<const unsigned char> object) : object_(object) {
        const auto header = at<Elf64_Ehdr>(0);
        if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
            header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
            header.e_type != ET_REL)
            refuse("not an object file of 64 bits");
        machine_ = header.e_machine;
        for (std::uint64_t i = 0; i < header.e_shnum; ++i)
            sections_.push_back(at<Elf64_Shdr>(header.e_shoff + i * sizeof(Elf64_Shdr)));
        lay_out();
        read_symbols();
        for (const Elf64_Shdr& section : sections_)
            if (section.sh_type == SHT_RELA) resolve(section);
    }

    CodeImage image(const std::vector<std::string>& functions) && {
        CodeImage made;
        for (const std::string& name : functions)
            made.entries.push_back(symbol(name));
        made.bytes = std::move(bytes_);
        return made;
    }

private:
    template <class T>
    T at(std::uint64_t offset) const {
        if (offset > object_.size() || object_.size() - offset < sizeof(T)) refuse("a torn object");
        T value;
        std::memcpy(&value, object_.data() + offset, sizeof value);
        return value;
    }
    const Elf64_Shdr& section(std::uint64_t i) const {
        if (i >= sections_.size()) refuse("a torn object");
        return sections_[i];
    }

    /// Sections that are loaded, one behind the other; where they lie is noted in sh_addr.
    void lay_out() {
        for (Elf64_Shdr& s : sections_) {
            if ((s.sh_flags & SHF_ALLOC) == 0) continue;
            if ((s.sh_flags & SHF_WRITE) != 0) refuse("the object has variables");
            const std::uint64_t align = std::max<std::uint64_t>(s.sh_addralign, 1);
            if (align > largest_alignment) refuse("an alignment of more than a page");
            const std::uint64_t place = (bytes_.size() + align - 1) / align * align;
            if (s.sh_offset > object_.size() || object_.size() - s.sh_offset < s.sh_size)
                refuse("a torn object");
            bytes_.resize(place);
            const auto from = object_.begin() + static_cast<std::ptrdiff_t>(s.sh_offset);
            bytes_.insert(bytes_.end(), from, from + static_cast<std::ptrdiff_t>(s.sh_size));
            s.sh_addr = place;
        }
    }

    void read_symbols() {
        for (const Elf64_Shdr& s : sections_) {
            if (s.sh_type != SHT_SYMTAB) continue;
            names_ = section(s.sh_link).sh_offset;
            for (std::uint64_t i = 0; i < s.sh_size / sizeof(Elf64_Sym); ++i)
                symbols_.push_back(at<Elf64_Sym>(s.sh_offset + i * sizeof(Elf64_Sym)));
        }
    }
    std::string name_of(const Elf64_Sym& s) const {
        const std::uint64_t start = names_ + s.st_name;
        std::string name;
        for (std::uint64_t i = start; at<char>(i) != '\0'; ++i)
            name += at<char>(i);
        return name;
    }
    std::uint64_t address(const Elf64_Sym& s) const {
        if (s.st_shndx == SHN_UNDEF)
            refuse(fmt::format("the object calls \"{}\" outside it", name_of(s)));
        if (s.st_shndx >= SHN_LORESERVE || (section(s.st_shndx).sh_flags & SHF_ALLOC) == 0)
            refuse("a symbol that lies nowhere");
        return section(s.st_shndx).sh_addr + s.st_value;
    }
    std::uint64_t symbol(const std::string& name) const {
        for (const Elf64_Sym& s : symbols_)
            if (s.st_shndx != SHN_UNDEF && name_of(s) == name) return address(s);
        refuse(fmt::format("the object has no \"{}\"", name));
    }

    void resolve(const Elf64_Shdr& relocations) {
        const Elf64_Shdr& target = section(relocations.sh_info);
        if ((target.sh_flags & SHF_ALLOC) == 0) return;
        for (std::uint64_t i = 0; i < relocations.sh_size / sizeof(Elf64_Rela); ++i) {
            const auto r = at<Elf64_Rela>(relocations.sh_offset + i * sizeof(Elf64_Rela));
            const std::uint64_t number = ELF64_R_SYM(r.r_info);
            if (number >= symbols_.size()) refuse("a torn object");
            const std::uint64_t place = target.sh_addr + r.r_offset;
            if (place + 4 > bytes_.size()) refuse("a torn object");
            const auto value = static_cast<std::int64_t>(address(symbols_[number])) + r.r_addend;
            patch(ELF64_R_TYPE(r.r_info), place, value);
        }
    }

    std::uint32_t word(std::uint64_t place) const {
        std::uint32_t read = 0;
        std::memcpy(&read, bytes_.data() + place, sizeof read);
        return read;
    }
    void set_word(std::uint64_t place, std::uint32_t value) {
        std::memcpy(bytes_.data() + place, &value, sizeof value);
    }

    /// Only what is relative to the code itself, so that the image may lie anywhere (on aarch64: at
    /// any page).
    void patch(std::uint64_t type, std::uint64_t place, std::int64_t value) {
        if (machine_ == EM_X86_64 && (type == R_X86_64_PC32 || type == R_X86_64_PLT32))
            set_word(place, static_cast<std::uint32_t>(value - static_cast<std::int64_t>(place)));
        else if (machine_ == EM_AARCH64)
            patch_aarch64(type, place, value);
        else
            refuse(fmt::format("relocation {} of machine {} is not understood", type, machine_));
    }

    void patch_aarch64(std::uint64_t type, std::uint64_t place, std::int64_t value) {
        const auto low = static_cast<std::uint32_t>(value & 0xfff);
        const auto insert = [&](std::uint32_t immediate) {
            set_word(place, word(place) | immediate << 10);
        };
        switch (type) {
        case R_AARCH64_ADR_PREL_PG_HI21: {
            const std::int64_t pages = (value >> 12) - static_cast<std::int64_t>(place >> 12);
            const auto bits = static_cast<std::uint32_t>(pages);
            set_word(place, word(place) | (bits & 3U) << 29 | (bits >> 2 & 0x7ffffU) << 5);
            return;
        }
        case R_AARCH64_ADD_ABS_LO12_NC:
            return insert(low);
        case R_AARCH64_LDST64_ABS_LO12_NC:
            return insert(low >> 3);
        case R_AARCH64_LDST128_ABS_LO12_NC:
            return insert(low >> 4);
        default:
            refuse(fmt::format("relocation {} of aarch64 is not understood", type));
        }
    }

    static constexpr std::uint64_t largest_alignment = 4096;
    std::span<const unsigned char> object_;
    std::uint16_t machine_ = 0;
    std::vector<Elf64_Shdr> sections_;
    std::vector<Elf64_Sym> symbols_;
    std::uint64_t names_ = 0;
    std::vector<unsigned char> bytes_;
};

} // namespace

CodeImage link_object(std::span<const unsigned char> object,
                      const std::vector<std::string>& functions) {
    return ObjectLinker(object).image(functions);
}

LoadedCode::LoadedCode(const CodeImage& image)
    : size_(std::max<std::size_t>(image.bytes.size(), 1)),
      entries_(image.entries) {
    void* memory = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) refuse("no memory for it");
    memory_ = static_cast<unsigned char*>(memory);
    std::copy(image.bytes.begin(), image.bytes.end(), memory_);
    if (mprotect(memory_, size_, PROT_READ | PROT_EXEC) != 0) {
        munmap(memory_, size_);
        refuse("this system lets no program make code");
    }
    __builtin___clear_cache(reinterpret_cast<char*>(memory_),
                            reinterpret_cast<char*>(memory_ + size_));
}

LoadedCode::~LoadedCode() {
    munmap(memory_, size_);
}

LoadedCode::Function LoadedCode::function(std::size_t entry) const {
    return reinterpret_cast<Function>(memory_ + entries_[entry]);
}

} // namespace gemel::sim
