"""The table of nouns: English | Spanish | gender | kinds | links of words, if there are several.

A form that is not regular follows its singular after a slash: "man/men". A profession has its
feminine third: "profesor/profesores/profesora". "-" stands for a singular that is never used.
What the kinds mean is said in `nouns.Noun`.
"""

ROWS = """
man/men | hombre | m | person adult
woman/women | mujer | f | person adult
boy | niño | m | person young
girl | niña | f | person young
brother | hermano | m | person kin adult
sister | hermana | f | person kin adult
mother | madre | f | person kin parent
father | padre | m | person kin parent
uncle | tío | m | person kin parent
aunt | tía | f | person kin parent
grandmother | abuela | f | person kin elder
grandfather | abuelo | m | person kin elder
cousin | primo | m | person kin adult
friend | amigo | m | person kin adult
neighbor | vecino | m | person kin adult
boss | jefe | m | person kin adult
-/parents | padres | m | person kin plural
-/grandparents | abuelos | m | person kin plural elderly
teacher | profesor/profesores/profesora | m | person role
doctor | médico/médicos/médica | m | person role
lawyer | abogado/abogados/abogada | m | person role
engineer | ingeniero/ingenieros/ingeniera | m | person role
writer | escritor/escritores/escritora | m | person role artist
cook | cocinero/cocineros/cocinera | m | person role
singer | cantante | m | person role artist
architect | arquitecto/arquitectos/arquitecta | m | person role
dentist | dentista | m | person role
journalist | periodista | m | person role
student | estudiante | m | person role young
dog | perro | m | animal pet
cat | gato | m | animal pet
horse | caballo | m | animal
bird | pájaro | m | animal
cow | vaca | f | animal
rabbit | conejo | m | animal pet
apple | manzana | f | food fruit grocery
orange | naranja | f | food fruit grocery
banana | plátano | m | food fruit grocery
pear | pera | f | food fruit grocery
strawberry | fresa | f | food fruit grocery
egg | huevo | m | food grocery cookable
tomato/tomatoes | tomate | m | food grocery plant
potato/potatoes | patata | f | grocery cookable plant
carrot | zanahoria | f | food grocery plant cookable
sandwich | bocadillo | m | food dish
salad | ensalada | f | food dish
pizza | pizza | f | food dish warm
cake | tarta | f | food dish
cookie | galleta | f | food grocery
bread | pan | m | food grocery mass
rice | arroz | m | food grocery cookable warm mass
cheese | queso | m | food grocery mass
meat | carne | f | food grocery cookable warm mass
fish | pescado | m | food grocery cookable warm mass
chicken | pollo | m | food grocery cookable warm mass
soup | sopa | f | food dish cookable warm mass
chocolate | chocolate | m | food grocery mass
ice cream | helado | m | food mass
water | agua | f | drink mass stressed_a
milk | leche | f | drink grocery warm mass
coffee | café | m | drink grocery warm mass
tea | té | m | drink warm mass
wine | vino | m | drink mass
beer | cerveza | f | drink mass
orange juice | zumo de naranja | m | drink mass | 0-2 1-0
breakfast | desayuno | m | meal mass
lunch | almuerzo | m | meal mass
dinner | cena | f | meal mass
book | libro | m | readable thing made content priced
newspaper | periódico | m | readable thing content
magazine | revista | f | readable thing content
letter | carta | f | readable mail content thing
message | mensaje | m | readable mail content
novel | novela | f | readable content work
poem | poema | m | readable content work
story | cuento | m | readable content work
article | artículo | m | readable content work
report | informe | m | readable content work
movie | película | f | content show
song | canción | f | content tune
program | programa | m | content show
match | partido | m | content show event
class | clase | f | content event lecture
exam/exams | examen/exámenes | m | task event
party | fiesta | f | event at
concert | concierto | m | event content
meeting | reunión | f | event content
shirt | camisa | f | clothes colored made priced thing
dress | vestido | m | clothes colored made priced thing
skirt | falda | f | clothes colored made priced
coat | abrigo | m | clothes colored made priced thing
jacket | chaqueta | f | clothes colored made priced thing
hat | sombrero | m | clothes colored made priced thing
shoe | zapato | m | clothes colored made priced thing pairs
scarf/scarves | bufanda | f | clothes colored made priced
glove | guante | m | losable clothes colored made pairs
-/pants | pantalones | m | clothes colored made priced plural
car | coche | m | vehicle ride owned colored made priced sized repairable washable
bicycle | bicicleta | f | ride owned colored made priced sized repairable
motorcycle | moto | f | ride owned colored made priced repairable
truck | camión | m | vehicle colored made sized repairable washable
boat | barco | m | colored made priced sized repairable
train | tren | m | transport sized
bus | autobús | m | transport sized
plane | avión | m | transport sized
table | mesa | f | furniture made priced sized heavy on cleanable colored
chair | silla | f | furniture made priced seat colored heavy
bed | cama | f | furniture made priced sized seat heavy on
sofa | sofá | m | furniture made priced sized seat heavy on
lamp | lámpara | f | device made priced light
clock | reloj | m | made priced repairable
mirror | espejo | m | made priced breakable cleanable
desk | escritorio | m | furniture made priced sized on cleanable heavy
computer | ordenador | m | device made priced repairable owned usable
phone | teléfono | m | device made priced owned usable losable repairable
radio | radio | f | device made repairable
television | televisión | f | device made priced sized
camera | cámara | f | made priced owned usable losable
washing machine | lavadora | f | made priced repairable
guitar | guitarra | f | instrument made priced owned
piano | piano | m | instrument made priced heavy
violin | violín | m | instrument made priced
door | puerta | f | openable colored sized paintable
window | ventana | f | openable sized cleanable breakable
wall | pared | f | colored paintable
light | luz | f | light
key | llave | f | thing losable small
wallet | cartera | f | thing losable made
umbrella/umbrellas | paraguas/paraguas | m | thing losable made colored
ticket | billete | m | thing losable
box | caja | f | container openable sized heavy thing
bag | bolsa | f | container thing sized heavy colored
suitcase | maleta | f | container openable sized heavy made priced owned
glass | vaso | m | dishes breakable container
cup | taza | f | dishes breakable container
plate | plato | m | dishes breakable
bottle | botella | f | container breakable thing
knife/knives | cuchillo | m | dishes
spoon | cuchara | f | dishes
gift | regalo | m | present thing
flower | flor | f | plant present colored pretty
tree | árbol | m | plant sized
toy | juguete | m | present thing
notebook | cuaderno | m | thing made colored
pencil | lápiz | m | thing
map | mapa | m | thing
photo | foto | f |
picture | cuadro | m | picture sized
house | casa | f | building home owned sized made priced pretty cleanable paintable
apartment | apartamento | m | building home sized priced made pretty cleanable
park | parque | m | place outdoors sized pretty
garden | jardín | m | place outdoors sized pretty
school | escuela | f | place building study at sized
library | biblioteca | f | place building study at sized calm
university | universidad | f | place building study at
museum | museo | m | place building sight at sized
restaurant | restaurante | m | place building at business
hotel | hotel | m | place building at sized business
hospital | hospital | m | place building sized
bank | banco | m | place building at business
store | tienda | f | place building at business sized
supermarket | supermercado | m | place building at business sized
market | mercado | m | place at
office | oficina | f | place room at
factory | fábrica | f | place building sized
church | iglesia | f | place building sight
theater | teatro | m | place building at sight
station | estación | f | place at building
airport | aeropuerto | m | place at
beach | playa | f | place outdoors on pretty
pool | piscina | f |
lake | lago | m | sized pretty
river | río | m |
city | ciudad | f | town sized pretty calm
village | pueblo | m | town sized pretty calm
street | calle | f | on calm street
bridge | puente | m | sized
kitchen | cocina | f | room sized cleanable home_room
bedroom | dormitorio | m | room sized cleanable home_room
living room | salón | m | room sized cleanable home_room
bathroom | baño | m | room sized cleanable home_room
classroom | aula | f | room sized stressed_a
question | pregunta | f | task content answerable
answer | respuesta | f |
exercise | ejercicio | m | task content answerable
lesson | lección | f | task content answerable
problem | problema | m | task answerable
idea | idea | f | notion
language | idioma | m | task
head | cabeza | f | body
back | espalda | f | body
throat | garganta | f | body
stomach/stomachs | estómago | m | body
hand | mano | f | body many
foot/feet | pie | m | body many
leg | pierna | f | body many
eye | ojo | m | body many
"""
