"""Khmer names in both scripts. The lists are common names; who bears which is drawn, so nobody real is meant."""

from random import Random
from typing import NamedTuple


class Written(NamedTuple):
    """One name in the two scripts that stand side by side in the school's lists."""

    khmer: str
    latin: str

    def as_family_name(self, *, latin: bool) -> str:
        """Write it as a family name: Latin ones stand in capitals, as on identity papers."""
        return self.latin.upper() if latin else self.khmer

    def as_first_name(self, *, latin: bool) -> str:
        """Write it as a first name."""
        return self.latin if latin else self.khmer


def _read(listed: str) -> tuple[Written, ...]:
    words = listed.split()
    return tuple(Written(khmer, latin) for khmer, latin in zip(words[::2], words[1::2], strict=True))


FAMILY_NAMES = _read("""
    សុខ Sok  ចាន់ Chan  ហេង Heng  លី Ly  គឹម Kim  កែវ Keo  ម៉ៅ Mao  អ៊ុំ Um  ខៀវ Khiev  ជា Chea
    សេង Seng  នួន Nuon  ឈឹម Chhim  ទេព Tep  ប៊ុន Bun  ផាន Phan  មាស Meas  យិន Yin  រស់ Ros  វង្ស Vong
    សៅ Sao  ស៊ន Sorn  អ៊ុក Uk  ឡុង Long  តាន់ Tan  ទូច Touch  ព្រំ Prum  ភួង Phuong  ញឹម Nhim  យស Yos
    រិន Rin  ឡាយ Lay  ស៊ឹម Sim  សំ Sam  សន Son  ហួត Huot  ហៀង Heang  អ៊ាង Eang  អ៊ិន In  អ៊ុច Uch
    ឃុន Khun  ឃឹម Khim  គង់ Kong  គួច Kuoch  ចេង Cheng  ឈុន Chhun  ឈួន Chhuon  ជួន Chuon  ឌី Dy  ឌួង Duong
    តឹក Tek  ទិត Tith  ធី Thy  នី Ny  នូ Nou  នៅ Nov  ប៉ែន Pen  ប៉ាង Pang  ផុន Phon  ពៅ Pov
    ពេជ្រ Pich  ម៉ម Mom  មួង Muong  មិន Min  យ៉ែម Yem  យឹម Yim  វ៉ន Vorn  វ៉ាន់ Van  សាយ Say  សួង Suong
    ស៊ាន Sean  ហម Hom  ឡេង Leng  អោម Om  អ៊ូ Ou
""")

BOYS = _read("""
    ដារា Dara  វិបុល Vibol  បូរ៉ា Bora  វុទ្ធី Vuthy  ពិសិដ្ឋ Piseth  សុវណ្ណ Sovann  ចំរើន Chamroeun
    វិចិត្រ Vichet  សំណាង Samnang  រិទ្ធី Rithy  មករា Makara  ឧត្តម Oudom  សុខា Sokha  ចាន់ថា Chantha
    សុភ័ក្ត្រ Sopheak  វីរៈ Vireak  រដ្ឋា Ratha  សុធា Sothea  សុជាតិ Socheat  ពិសាល Pisal  មុនី Mony
    មនោរម្យ Monorom  សារ៉ាត់ Sarath  សារុន Sarun  សាវុធ Savuth  សុផល Sophal  សុផាន់ណា Sophanna  សំបូរ Sambo
    សំអាត Samart  ប៊ុនធឿន Bunthoeun  ប៊ុនណា Bunna  ប៊ុនហេង Bunheng  គឹមហុង Kimhong  គឹមសាន Kimsan
    គឹមស្រ៊ុន Kimsrun  លីហួរ Lyhour  លីម៉េង Lymeng  ម៉េងហុង Menghong  ម៉េងលី Mengly  សេងហុង Senghong
    សេងលី Sengly  ហេងលី Hengly  ហុងលី Hongly  វិសាល Visal  វិសិដ្ឋ Viseth  វិរៈបុត្រ Virakbot  ធារ៉ា Theara
    ធារិទ្ធ Thearith  ធីរៈ Thirak  ពន្លឺ Ponleu  ភារម្យ Phearom  ភារុណ Phearun  ភិរម្យ Phirom  ណារិទ្ធ Narith
    ណារ៉ុង Narong  នរិន្ទ Norin  បញ្ញា Panha  បុរី Borey  បុត្រា Botra  រ៉ាវុធ Ravuth  សម្បត្តិ Sambath
    សិលា Seila  សិរីវុឌ្ឍ Sereyvuth  សុគន្ធ Sokun  សុខហេង Sokheng  សុខជា Sokchea  សុខលី Sokly  សុមេធ Someth
    សុរិយា Soriya  សុវត្ថិ Sovath  សុវិជ្ជា Sovichea  សក្កដា Sakada  សត្យា Sathya  ឆៃយ៉ា Chhaiya  ជីវ័ន Chivorn
    ជ័យ Chey  ជ័យរិទ្ធ Cheyrith  តារា Tara  តុលា Tola  កក្កដា Kakada  កុសល Kosal  ខេមរា Khemara
    ខេមរិន្ទ Khemrin  ចក្រា Chakra  ចិត្រា Chetra  មេសា Mesa  មង្គល Mongkul  យុទ្ធា Yuthea  យុទ្ធី Yuthy
    អរុណ Arun  អាទិត្យ Atith  អានន្ទ Anan  ឥន្ទ្រា Indra  ឧសភា Ousaphea
""")

GIRLS = _read("""
    ស្រីពៅ Sreypov  ស្រីនាង Sreyneang  ស្រីមុំ Sreymom  ស្រីល័ក្ខ Sreyleak  ស្រីនិច្ច Sreynich  ស្រីរ័ត្ន Sreyroth
    ស្រីលីន Sreylin  ស្រីភា Sreyphea  ស្រីណា Sreyna  ស្រីអូន Sreyoun  ស្រីនិត Sreynit  ចាន់ធូ Chanthou
    ចាន់ណារី Channary  ចាន់បូរមី Chanboramey  ចាន់ថន Chanthorn  ចរិយា Chariya  ច័ន្ទរស្មី Chanraksmey
    ច័ន្ទសុភា Chansophea  ច័ន្ទតារា Chantara  បុប្ផា Bopha  ផល្លា Phalla  ផល្លី Phally  ពិសី Pisey  ពិដោរ Pidor
    មាលា Mealea  មាលី Mealy  ម៉ារី Mary  ម្លិះ Malis  មុន្នី Munny  មរកត Morakot  យុវតី Yuvatey  រចនា Rachana
    រតនា Ratana  រំដួល Romduol  លក្ខិណា Leakhena  លីដា Lida  លីនណា Linna  លីសា Lisa  វណ្ណា Vanna  វណ្ណនី Vanny
    វណ្ណារី Vannary  វាសនា Veasna  វិមាន Vimean  វត្តី Vathy  សុភា Sophea  សុភាព Sopheap  សុភី Sophy  សុភីន Sophin
    សុផានី Sophany  សុខុម Sokhom  សុខនី Sokny  សុខលីន Soklin  សុខឡេង Sokleng  សុធារី Sotheary
    សុវណ្ណារី Sovannary  សុវណ្ណី Sovanny  សុម៉ាលី Somaly  សុមាលា Somalea  សុជាតា Socheata  សុនីតា Sonita
    សុលីណា Solina  សុដាលីស Sodalis  សម្ផស្ស Samphors  សាវី Savy  សារី Sary  សារិន Sarin  សិរីរ័ត្ន Sereyroth
    សោភ័ណ Sophorn  ស៊ីណា Sina  ស៊ីណែត Sinet  កញ្ញា Kanha  កល្យាណ Kalyan  កល្យាណី Kalyany  កន្និកា Kannika
    កុលាប Kolab  គន្ធា Kunthea  គន្ធី Kunthy  គឹមឡាង Kimlang  គឹមលី Kimly  គឹមហួយ Kimhuoy  ឆវី Chhavy
    ជាតា Cheata  ដាលីន Dalin  ដាវី Davy  ថាវី Thavy  ទេវី Tevy  ធារី Theary  ធីតា Thida  នារី Neary  នីតា Nita
    នីមល Nimol  ណាវី Navy  ណាវីន Navin  និមិត្ត Nimith  ប៊ុនធី Bunthy  អប្សរា Apsara  អមរា Amara  អារីយ៉ា Ariya
    អេលីន Elin  ហួយឡេង Huoyleng  ហុងលីន Honglin  ឡៃហេង Layheng  ឡៃហួង Layhuong  ម៉ីលីង Meyling  រស្មី Raksmey
    រក្សា Reaksa  រ៉ាវី Ravy
""")


def family_name(chance: Random) -> Written:
    """Draw a family name; a handful are far more common than the rest, so namesakes occur."""
    return FAMILY_NAMES[int(len(FAMILY_NAMES) * chance.random() ** 1.5)]


def first_name(chance: Random, *, female: bool) -> Written:
    """Draw a first name."""
    return chance.choice(GIRLS if female else BOYS)
